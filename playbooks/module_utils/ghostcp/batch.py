"""The frame of a batched module: unpack the request, answer it, and say nothing of its contents elsewhere."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from . import wire
from .host import Host, explain

Answer = Callable[[Host, Mapping[str, Any]], dict[str, Any]]


def answer(verb: Answer) -> None:
    """Run a module: its one argument is the packed request, its one result the packed response."""
    module = AnsibleModule(
        argument_spec={"payload": {"type": "str", "required": True, "no_log": True}},
        supports_check_mode=True,
    )
    if os.geteuid() != 0:
        module.fail_json(msg="this needs root on the host: log in as root, or become root")
    os.umask(0o022)
    try:
        request = wire.decode(module.params["payload"])
        if module.check_mode:
            request["validate_only"] = True
        response = verb(Host(), request)
    except OSError as error:
        module.fail_json(msg=explain(error))
    except Exception as error:
        module.fail_json(msg=f"{type(error).__name__} at {_where(error)}: {str(error)[:200]}")
    module.exit_json(changed=_changed(response), response=wire.encode(response))


def _where(error: BaseException) -> str:
    """The file and line that raised, without any value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"


def _changed(response: Mapping[str, Any]) -> bool:
    results: Mapping[str, Mapping[str, str]] = response.get("results", {})
    return any(result["status"] == "applied" for result in results.values())
