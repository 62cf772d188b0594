"""What a request says of itself."""

from ipaddress import ip_network

from api.visit import Visit, enter

PROXIES = (ip_network("10.0.0.0/8"),)


def visit(peer: str, *headers: tuple[str, str], scheme: str = "http") -> Visit:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return enter({"type": "http", "client": (peer, 1), "scheme": scheme, "headers": raw}, PROXIES)


def test_tls_is_known_from_the_connection_or_from_a_known_proxy() -> None:
    assert visit("203.0.113.9", scheme="https").secure
    assert visit("10.0.0.1", ("X-Forwarded-Proto", "https")).secure
    assert not visit("203.0.113.9", ("X-Forwarded-Proto", "https")).secure
    assert not visit("10.0.0.1", ("X-Forwarded-Proto", "https, http")).secure


def test_an_address_is_hearsay_when_a_stranger_relays() -> None:
    assert visit("203.0.113.9", ("X-Forwarded-For", "127.0.0.1")).hearsay
    assert visit("203.0.113.9", ("Forwarded", "for=127.0.0.1")).hearsay
    assert visit("203.0.113.9", ("Via", "1.1 somebody")).hearsay
    assert not visit("203.0.113.9").hearsay
    assert not visit("10.0.0.1", ("X-Forwarded-For", "203.0.113.9")).hearsay


def test_a_connection_without_an_address_is_nobodys() -> None:
    made = enter({"type": "http", "client": None, "headers": []}, PROXIES)
    assert (made.address, made.hearsay) == ("", False)
