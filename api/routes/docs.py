"""The OpenAPI document, and pages to try it (Swagger UI) and to read it (ReDoc), served whole from here.

The programs of the pages come from the wheel of fastapi-offline; what starts them is a file too, so that the pages
need no inline script.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from starlette.responses import FileResponse, Response

from api.access import public
from api.call import Call, Reply
from api.door import Route
from api.headers import PAGE_POLICY
from api.openapi.describe import JSON, Answer, Docs, Parameter
from api.openapi.schemas import ANYTHING, TEXT, one_of, shape
from state.errors import NotFound

_OURS = Path(__file__).resolve().parent.parent / "pages"
_FILES: Mapping[str, str] = {
    "favicon.png": "image/png",
    "redoc.css": "text/css; charset=utf-8",
    "redoc.js": "text/javascript; charset=utf-8",
    "redoc.standalone.js": "text/javascript; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger.js": "text/javascript; charset=utf-8",
}
_PARTS = ("info", "paths", "components")
_DOCUMENT = shape("OpenApi", {"openapi": one_of("3.0.3"), **dict.fromkeys(_PARTS, ANYTHING)})
Document = Callable[[], Mapping[str, Any]]


def document_route(document: Document) -> Route:
    """The door to the document, which is made when it is first asked for."""
    content = cache(lambda: json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode())
    answer = Answer(200, "The document.", _DOCUMENT, headers={"ETag": "Changes with the document."})
    docs = Docs("docs", (answer,), operation_id="getOpenApiDocument")
    return Route("GET", "/openapi.json", "This document", public(), docs, reads=partial(_document, content))


def _document(content: Callable[[], bytes], _: Call, __: Connection) -> Reply:
    tag = f'"{hashlib.sha256(content()).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    return Reply(response=Response(content(), media_type=JSON, headers=headers))


def _page(name: str, _: Call, __: Connection) -> Reply:
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
    return Reply(response=FileResponse(_OURS / name, media_type="text/html", headers=headers))


def _file(call: Call, _: Connection) -> Reply:
    name = call.argument("file")
    if name not in _FILES:
        raise NotFound("Resource not found", resource="file", id=name)
    headers = {"Cache-Control": "public, max-age=86400"}
    return Reply(response=FileResponse(_path(name), media_type=_FILES[name], headers=headers))


def _path(name: str) -> Path:
    return _OURS / name if (_OURS / name).is_file() else _theirs() / name


@cache
def _theirs() -> Path:
    """The folder of the wheel's files, found without importing its code."""
    spec = find_spec("fastapi_offline")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "static"


def _shown(name: str, what: str) -> Docs:
    page = Answer(200, what, TEXT, media=("text/html",))
    return Docs("docs", (page,), operation_id=name)


_NAME = Parameter("file", one_of(*sorted(_FILES)), "Its name.", "path", required=True)
_TYPES = tuple(sorted({media.partition(";")[0] for media in _FILES.values()}))
_CONTENT = Answer(200, "The file.", {"type": "string", "format": "binary"}, media=_TYPES)
PAGES = (
    Route(
        "GET",
        "/api/docs",
        "Try the API (Swagger UI)",
        public(),
        _shown("getSwaggerUi", "The page."),
        reads=partial(_page, "swagger.html"),
    ),
    Route(
        "GET",
        "/api/redoc",
        "Read the API (ReDoc)",
        public(),
        _shown("getReDoc", "The page."),
        reads=partial(_page, "redoc.html"),
    ),
    Route(
        "GET",
        "/api/docs/{file}",
        "Get a file of these pages",
        public(),
        Docs("docs", (_CONTENT,), (_NAME,), operation_id="getDocsFile"),
        reads=_file,
    ),
)
