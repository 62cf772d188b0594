"""What HTTPS and SVCB say of a service (RFC 9460), written as BIND reads it, and judged as BIND judges it."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from dns.rdata import Rdata
from dns.rdtypes.svcbbase import GenericParam, MandatoryParam, Param, ParamKey, SVCBBase

SERVICES = frozenset({"HTTPS", "SVCB"})
_NAMES = ("mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath")
_NO_PATH = "has a dohpath that is no template such as '/dns-query{?dns}' (RFC 9461, section 5)"
_CHARACTER = "(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})"
_VARIABLE = rf"{_CHARACTER}++(?:\*|:[1-9][0-9]{{0,3}})?"
_VARIABLES = rf"\{{[?&+#./;]?({_VARIABLE}(?:,{_VARIABLE})*+)\}}"
_TEMPLATE = re.compile(rf"/(?:[^{{}}%]|%[0-9A-Fa-f]{{2}}|{_VARIABLES})*+")
_PARAMETER = re.compile(r' ([a-z0-9-]+)(?:="((?:[^"\\]|\\.)*)")?')
_OVER_HTTP = re.compile(r"\bh(?:[23]|2c|ttp/[0-9.]+)\b")


def written(service: Rdata) -> str:
    """A service in the form of a zone file. Raises ValueError saying what is wrong with it."""
    assert isinstance(service, SVCBBase)
    if ParamKey.DOHPATH in service.params and not _is_path(service.params[ParamKey.DOHPATH]):
        raise ValueError(_NO_PATH)
    return " ".join((str(service.priority), service.target.to_text(), *_parameters(service)))


def no_resolver(text: str) -> str:
    """What a name server's service lacks (RFC 9461, section 4)."""
    said = dict(_PARAMETER.findall(text))
    if not said.get("alpn"):
        return "at '_dns', an SVCB says its protocols: alpn=dot"
    if _OVER_HTTP.search(said["alpn"]) and not said.get("dohpath"):
        return "at '_dns', an SVCB with HTTP says its path: dohpath=\"/dns-query{?dns}\""
    return ""


def _is_path(value: Param | None) -> bool:
    """Whether it is a URI template (RFC 6570) that begins with a slash and has a variable `dns`."""
    try:
        text = value.value.decode() if isinstance(value, GenericParam) else ""
    except UnicodeDecodeError:
        return False
    names = (name for found in re.finditer(_VARIABLES, text) for name in re.split("[,*:]", found[1]))
    return _TEMPLATE.fullmatch(text) is not None and "dns" in names


def _parameters(service: SVCBBase) -> Iterator[str]:
    """Names that BIND may not know are written as numbers, and what these say as bytes."""
    for key, value in sorted(service.params.items()):
        if value is None:
            yield _named(key)
        elif isinstance(value, MandatoryParam):
            yield f'{_named(key)}="{",".join(map(_named, value.keys))}"'
        elif key < len(_NAMES) or isinstance(value, GenericParam):
            yield f"{_named(key)}={value.to_text()}"
        else:
            yield f'{_named(key)}="{_bytes(value)}"'


def _named(key: int) -> str:
    return _NAMES[key] if key < len(_NAMES) else f"key{key:d}"


def _bytes(value: Any) -> str:
    file = BytesIO()
    value.to_wire(file)
    return "".join(map("\\{:03d}".format, file.getvalue()))
