"""Requests to a small host in a directory, and resources to ask for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playbooks.module_utils.ghostcp import apply, generations, observe
from playbooks.module_utils.ghostcp.host import Host
from state import resource
from state.resource import Resource
from tests.playbooks.remote import change


def look(host: Host, *keys: str) -> dict[str, Any]:
    found: dict[str, Any] = observe.observe(host, {"resources": dict.fromkeys(keys, "")})["differing"]
    return found


def send(host: Host, *changes: Mapping[str, Any], token: int = 1, **more: Any) -> dict[str, Any]:
    request = {"token": token, "stamp": "20260101T000000Z", "changes": list(changes), **more}
    return apply.apply(host, request)


def make(host: Host, *resources: Resource, **more: Any) -> dict[str, Any]:
    found = look(host, *(it.key for it in resources))
    return send(host, *(change(it, found[it.key]) for it in resources), **more)


def delete(host: Host, *resources: Resource) -> dict[str, Any]:
    found = look(host, *(it.key for it in resources))
    gone = {"action": "delete", "attributes": None, "content": None}
    return send(host, *(change(it, found[it.key]) | gone for it in resources))


def statuses(response: Mapping[str, Any]) -> dict[str, str]:
    return {key: result["status"] for key, result in response["results"].items()}


def live(host: Host) -> dict[str, str]:
    """The visible files of the live tree."""
    top = Path(host.path(generations.LIVE))
    files = (path for path in top.rglob("*") if path.is_file())
    found = {str(path.relative_to(top)): path.read_text() for path in files}
    return {name: text for name, text in found.items() if not name.startswith(".")}


def config(name: str, text: str = "good\n", service: str = "nginx") -> Resource:
    return resource.config(service, name, text)


def site(name: str, uid: int = 10_001) -> list[Resource]:
    home = f"/home/{name}"
    return [
        resource.account(name, uid=uid, comment="", home=home, shell="/bin/sh", locked=False),
        resource.directory(
            home, owner=name, group=name, mode="0750", data=True, requires=(f"account:{name}",)
        ),
        resource.directory(
            f"{home}/web", owner=name, group=name, mode="0755", requires=(f"directory:{home}",)
        ),
        resource.seed(
            f"{home}/web/index.html",
            "hi",
            owner=name,
            group=name,
            mode="0644",
            requires=(f"directory:{home}/web",),
        ),
        resource.config("nginx", f"{name}.conf", f"site {name}\n", requires=(f"directory:{home}/web",)),
        resource.config("php8.4-fpm", f"{name}.conf", f"pool {name}\n", requires=(f"account:{name}",)),
    ]
