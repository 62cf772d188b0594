"""The hands on a real lab host, called over an open ssh connection, without Ansible's start."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventories import lab
from playbooks.module_utils.ghostcp.wire import digest_or_none
from state.resource import Resource

PACKAGE = Path(__file__).parents[2] / "playbooks/module_utils/ghostcp"
PLACE = "/root/hands"
_CALL = """
import json, os, sys
sys.path.insert(0, "/root/hands")
os.umask(0o022)
from ghostcp import apply, observe
from ghostcp.host import Host
request = json.load(sys.stdin)
print(json.dumps({"observe": observe.observe, "apply": apply.apply}[sys.argv[1]](Host(), request)))
"""
_UNPACK = """
import json, os, sys
os.makedirs("/root/hands/ghostcp", exist_ok=True)
for name, text in json.load(sys.stdin).items():
    open(f"/root/hands/ghostcp/{name}", "w").write(text)
"""


@dataclass(frozen=True)
class Hands:
    """A lab host with the package on it; `token` is what `apply` sends unless told otherwise."""

    host: lab.LabHost
    token: int = 1

    def run(self, *argv: str, stdin: str = "") -> str:
        return lab.exec(self.host, argv, stdin=stdin, check=True).stdout

    def shell(self, script: str) -> str:
        return self.run("sh", "-ec", script)

    def call(self, verb: str, request: Mapping[str, Any]) -> dict[str, Any]:
        text = json.dumps({"version": 1, **request})
        response: dict[str, Any] = json.loads(self.run("python3", "-c", _CALL, verb, stdin=text))
        return response

    def observe(self, resources: Sequence[Resource] = (), **request: Any) -> dict[str, Any]:
        return self.call("observe", {"resources": {it.key: it.digest for it in resources}, **request})

    def look(self, *keys: str) -> dict[str, Any]:
        """The attributes of each key."""
        found: dict[str, Any] = self.call("observe", {"resources": dict.fromkeys(keys, "")})["differing"]
        return found

    def apply(self, *changes: Mapping[str, Any], **request: Any) -> dict[str, Any]:
        base = {"token": self.token, "stamp": "20260101T000000Z", "services": []}
        return self.call("apply", {**base, "changes": changes, **request})

    def make(self, *resources: Resource, **request: Any) -> dict[str, Any]:
        """Apply all of these, as a plan made now would."""
        found = self.look(*(it.key for it in resources))
        return self.apply(*(change(it, found[it.key]) for it in resources), **request)

    def remove(self, *resources: Resource, **request: Any) -> dict[str, Any]:
        found = self.look(*(it.key for it in resources))
        changes = [change(it, found[it.key]) | {"action": "delete", "attributes": None} for it in resources]
        return self.apply(*changes, **request)


def change(resource: Resource, current: Mapping[str, Any] | None, **more: Any) -> dict[str, Any]:
    """The change that makes `resource` of what is there."""
    return {
        "action": "create" if current is None else "update",
        "key": resource.key,
        "expect": digest_or_none(current),
        "attributes": dict(resource.attributes),
        "content": resource.content,
        "data": resource.data,
        "once": resource.once,
        "document": "",
        "requires": list(resource.requires),
        **more,
    }


@contextmanager
def hands(name: str) -> Iterator[Hands]:
    """A lab of its own with one host, gone at the end; no other run of the tests shares it."""
    with tempfile.TemporaryDirectory(prefix="ghostcp-hands-", ignore_cleanup_errors=True) as folder:
        var = Path(folder)
        try:
            (host,) = lab.up(name, 1, var=var)
            sources = {
                path.name: path.read_text() for path in PACKAGE.glob("*.py") if path.name != "batch.py"
            }
            lab.exec(host, ["python3", "-c", _UNPACK], stdin=json.dumps(sources), check=True)
            yield Hands(host)
        finally:
            lab.down(name, var=var)
