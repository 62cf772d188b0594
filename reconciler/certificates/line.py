"""The line to an authority: nonces are tried again, and every answer has an end, in time and in size."""

import ssl
import time
from typing import Any

from acme import client, messages
from josepy.jwa import ES256
from josepy.jwk import JWKEC
from requests import Response
from requests.adapters import HTTPAdapter

from reconciler.certificates.answers import Failed

SECONDS, LARGEST, NONCES, AGENT = 30.0, 1 << 20, 20, "ghostcp"
"""An exchange takes so long, its answer has so many bytes, at most; so many nonces in a row may be refused."""


class Network(client.ClientNetwork):
    """Tries again as often as a nonce is refused, and remembers how long the authority asks to wait.

    `deadline` (monotonic, in seconds) is when everything has to be over: Failed is raised then. What an authority sends
    beyond the bounds of one exchange is an error of the connection. Only HTTPS is spoken (RFC 8555, section 6.1).
    """

    retry_after: str | None = None

    def __init__(self, key: JWKEC, roots: Any, deadline: float) -> None:
        super().__init__(key, alg=ES256, verify_ssl=roots, user_agent=AGENT)
        self.deadline, self.bounds = deadline, Bounds()
        self.session.adapters.clear()
        self.session.mount("https://", _Adapter(self.bounds))
        self.session.headers["Accept-Encoding"] = "identity"

    def post(self, *args: Any, **kwargs: Any) -> Response:
        for _ in range(NONCES):
            try:
                return self._post_once(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return self._post_once(*args, **kwargs)

    def _send_request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        left = min(SECONDS, self.deadline - time.monotonic())
        if left <= 0:
            raise Failed("AuthoritySlow", "the authority did not come to an end in time: it is asked again")
        self.retry_after = None
        self.bounds.begin(left)
        response = super()._send_request(method, url, *args, timeout=left, **kwargs)
        self.retry_after = response.headers.get("Retry-After")
        return response


class Bounds:
    """What is left of one exchange: time, and bytes that may still come."""

    def __init__(self) -> None:
        self._until, self._bytes = 0.0, 0

    @property
    def overrun(self) -> bool:
        """Whether more came than may come."""
        return self._bytes < 0

    def begin(self, seconds: float) -> None:
        self._until, self._bytes = time.monotonic() + seconds, LARGEST

    def seconds(self) -> float:
        """How long the next bytes may take. Raises TimeoutError."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the exchange took too long")
        return left

    def count(self, received: int) -> int:
        """What was received. Raises OSError when it is too much."""
        self._bytes -= received
        if self.overrun:
            raise OSError("the answer is too long")
        return received


class _Socket(ssl.SSLSocket):
    """One that is read within the bounds of its exchange; a timeout of the library's begins anew with each read."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        context: Any = self.context
        self.settimeout(context.bounds.seconds())
        return int(context.bounds.count(super().recv_into(*args, **kwargs)))


class _Context(ssl.SSLContext):
    sslsocket_class = _Socket
    bounds: Bounds


class _Adapter(HTTPAdapter):
    """Every connection reads within these bounds, and nothing that was sent is unpacked to more than that."""

    def __init__(self, bounds: Bounds) -> None:
        self._context = _Context(ssl.PROTOCOL_TLS_CLIENT)
        self._context.bounds = bounds
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def build_response(self, req: Any, resp: Any) -> Response:
        resp.headers.pop("Content-Encoding", None)
        return super().build_response(req, resp)
