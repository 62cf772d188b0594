"""Asking sites on a host for their first page, as a browser would, and telling what came."""

import html
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_PATIENCE = 8.0


@dataclass(frozen=True, slots=True)
class Page:
    """What a site answered: its status (0: nothing), its title or first words, and what made it."""

    status: int
    title: str
    maker: str = ""

    def __str__(self) -> str:
        made = f"[{self.maker}]" if self.maker else ""
        parts = (str(self.status or "no answer"), self.title, made)
        return " ".join(filter(None, parts))


def fetch(address: str, name: str, expected: int) -> Page:
    """The first page of the site `name` at an IPv4 address; asked again while it is not as expected."""
    deadline = time.monotonic() + _PATIENCE
    with httpx.Client(trust_env=False, timeout=_PATIENCE) as client:
        while True:
            page = _ask(client, address, name)
            if page.status == expected or time.monotonic() > deadline:
                return page
            time.sleep(0.3)


def expected_status(site: Mapping[str, Any], *, owner_suspended: bool) -> int:
    """200 of a site in service, 503 of a suspended one."""
    closed = site.get("is_suspended") or owner_suspended
    return httpx.codes.SERVICE_UNAVAILABLE if closed else httpx.codes.OK


def _ask(client: httpx.Client, address: str, name: str) -> Page:
    try:
        answer = client.get(f"http://{address}/", headers={"Host": name})
    except httpx.HTTPError as error:
        return Page(0, str(error) or type(error).__name__)
    found = _TITLE.search(answer.text)
    title = html.unescape(found[1]) if found else answer.text[:60]
    return Page(answer.status_code, " ".join(title.split()), answer.headers.get("X-Powered-By", ""))
