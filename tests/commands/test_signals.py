"""A signal is heard at whatever moment it comes: while the main thread holds the very lock that telling needs, too."""

import subprocess
import sys

import pytest

_HOLDING = """
import os, signal, sys
from commands.signals import told_to_stop
told = told_to_stop()
with told._cond:  # as inside of wait()
    os.kill(os.getpid(), int(sys.argv[1]))
    sum(range(100000))  # the handler runs here
print("stopped" if told.wait(30) else "deaf")
"""


@pytest.mark.parametrize("number", [2, 15])
def test_a_signal_that_meets_the_main_thread_at_the_lock_is_heard(number: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HOLDING, str(number)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "stopped\n"
