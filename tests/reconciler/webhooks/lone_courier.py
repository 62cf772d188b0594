"""``python -m`` this, the database's URL and `var`: a courier in a process of its own, until it is killed."""

import sys
import threading
from ipaddress import ip_network
from pathlib import Path

from reconciler.webhooks.courier import deliver
from state.database import Database
from state.settings import Settings

if __name__ == "__main__":
    settings = Settings(var=Path(sys.argv[2]), webhook_networks=(ip_network("127.0.0.0/8"),))
    deliver(settings, Database(sys.argv[1]), threading.Event())
