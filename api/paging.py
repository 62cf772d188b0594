"""A page of a list as it is answered: what is on it, how much there is, and where to go on."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request

from api.call import Call, Reply
from state.listing import Page


def page_reply(call: Call, key: str, items: Sequence[Any], page: Page) -> Reply:
    """The page under the list's key; the next one is named in the body and linked to (RFC 8288)."""
    numbers = {"total": page.total, "page": page.page, "limit": page.limit, "pages": page.pages}
    headers = {"Link": f'<{_link(call.request, page.next)}>; rel="next"'} if page.next else {}
    return Reply(content={key: items, **numbers, "next": page.next}, headers=headers)


def _link(request: Request, cursor: str) -> str:
    """The same list from the cursor on, relative to this server."""
    kept = [(n, v) for n, v in request.query_params.multi_items() if n not in {"page", "cursor"}]
    return f"{quote(request.scope['path'])}?{urlencode([*kept, ('cursor', cursor)])}"
