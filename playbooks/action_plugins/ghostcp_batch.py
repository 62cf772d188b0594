"""Carry a request file to a batched module and its response back to a file, unseen by Ansible.

The request is read here, so that no string in it is ever a template; Ansible's own results, events and logs
get counts only.
"""

import base64
import json
import os
import tempfile
import zlib
from collections import Counter
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

MODULES = ("ghostcp_observe", "ghostcp_apply", "ghostcp_purge")


class ActionModule(ActionBase):  # type: ignore[misc]
    """Options: `module` (one of MODULES), `request` and `response` (paths on the controller)."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False
    _VALID_ARGS = frozenset(("module", "request", "response"))

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        arguments = {name: str(self._task.args.get(name) or "") for name in self._VALID_ARGS}
        if arguments["module"] not in MODULES or not all(arguments.values()):
            raise AnsibleActionFail("give a module, the path of a request and the path for the response")
        answer = self._execute_module(
            module_name=arguments["module"],
            module_args={"payload": _pack(_load(arguments["request"]))},
            task_vars=task_vars,
        )
        if answer.get("failed") or "response" not in answer:
            message = str(answer.get("msg", "the module gave no response"))[:500]
            return {"failed": True, "msg": message, "unreachable": bool(answer.get("unreachable"))}
        response = _unpack(str(answer["response"]))
        _store(arguments["response"], response)
        return {"changed": bool(answer.get("changed")), "counts": summary(response)}


def summary(response: dict[str, Any]) -> dict[str, int]:
    """How many of each there are, and nothing of what they are."""
    if response.get("fenced"):
        return {"fenced": 1}
    counts: dict[str, int] = {
        name: len(response[name]) for name in ("equal", "differing", "extra") if name in response
    }
    counts.update(Counter(result["status"] for result in response.get("results", {}).values()))
    return counts


def _pack(value: object) -> str:
    return base64.b64encode(zlib.compress(json.dumps(value).encode(), 1)).decode()


def _unpack(payload: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(payload)))


def _load(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise AnsibleActionFail(f"the request {path} cannot be read: {type(error).__name__}") from None


def _store(path: str, response: dict[str, Any]) -> None:
    """Write the response, for its owner only, whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".response-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(response, file)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
