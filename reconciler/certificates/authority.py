"""Speaking to an authority (RFC 8555) with certbot's library: an account, an order, its challenges, its certificate."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from acme import client, errors, messages
from acme.crypto_util import make_csr
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from josepy.errors import Error as Unreadable
from josepy.jwk import JWKEC
from requests import RequestException, Response
from requests.exceptions import InvalidJSONError, SSLError

from reconciler.certificates.answers import Failed, Issued, Suggestion, Unchanged
from reconciler.certificates.decisions import ASKED_EVERY, NAME_FAILED, asked_to_wait, enough, without
from reconciler.certificates.line import Network
from reconciler.certificates.proofs import Proof
from reconciler.certificates.terms import ANY, Terms
from state.certificates.authorities import Authority
from state.certificates.chains import irredundant

_UNBOUND = (
    "the authority gives certificates only to accounts that are bound to one there: operators put its kid and hmac into"
    " GHOSTCP_AUTHORITIES"
)
_UNTRUSTED = (
    " cannot be spoken to by TLS: it is shown by a certificate that is not trusted here (operators name its `roots` in"
    " GHOSTCP_AUTHORITIES), or by none"
)
ORDER_SECONDS, POLL_SECONDS = 300.0, 1.0
_NONSENSE = (
    errors.Error,
    Unreadable,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What the library makes of answers that are none: it does not look at what it is given."""


class Desk:
    """Our account with one authority, for one order. Every method raises Failed, whatever the authority does."""

    def __init__(self, authority: Authority, key: str, account: str | None, stop: threading.Event) -> None:
        """`key` is the account's, as PEM, `account` its URL where there is one already."""
        loaded: Any = load_pem_private_key(key.encode(), None)
        roots: Any = str(authority.roots) if authority.roots else True
        self._authority, self._stop = authority, stop
        self._deadline = time.monotonic() + ORDER_SECONDS
        self._network = Network(JWKEC(key=loaded), roots, self._deadline)
        with self._understood():
            directory = client.ClientV2.get_directory(authority.directory, self._network)
            self._client = client.ClientV2(directory, self._network)
            self.account = account or self._registered()
        self._network.account = messages.RegistrationResource(uri=self.account, body=messages.Registration())

    def _registered(self) -> str:
        values: dict[str, Any] = {"terms_of_service_agreed": True}
        if self._authority.kid and self._authority.hmac:
            key: Any = self._network.key
            values["external_account_binding"] = messages.ExternalAccountBinding.from_data(
                key.public_key(), self._authority.kid, self._authority.hmac, self._client.directory
            )
        elif self._client.external_account_required():
            raise Failed("AccountRequired", _UNBOUND)
        try:
            made = self._client.new_account(messages.NewRegistration.from_data(**values))
        except errors.ConflictError as known:
            return str(known.location)
        return str(made.uri)

    def obtain(
        self,
        names: Sequence[str],
        proof: Proof,
        terms: Terms = ANY,
    ) -> Issued | Unchanged:
        """A certificate for these names, the first of which it must be for, and some more; others may be left out."""
        left_out: dict[str, Failed] = {}
        with self._understood():
            while True:
                ordered = irredundant(names)
                terms.permit(ordered)
                key = _new_key()
                problems = self._tried(ordered, key, proof, terms)
                if isinstance(problems, str):
                    said = self.suggestion(problems)
                    return Issued(problems, key, left_out, said.renew_at, ordered)
                left = without(names, problems, {names[0], *terms.musts})
                left_out |= {n: Failed(NAME_FAILED, problems[n]) for n in names if n not in left}
                names = left
                if enough(terms.there, names):
                    return Unchanged(left_out)

    def _tried(self, names: Sequence[str], key: str, proof: Proof, terms: Terms) -> str | Mapping[str, str]:
        """The chain; or the names that cannot be shown to be ours, each with why."""
        try:
            order = self._client.new_order(make_csr(key.encode(), list(names)))
        except messages.Error as error:
            found = _named(error)
            if not found:
                raise
            return found
        problems = self._shown(order, proof) or self._disbelieved(order)
        if problems:
            return problems
        terms.confirm(names)
        left = max(1.0, self._deadline - time.monotonic())
        until = datetime.now() + timedelta(seconds=left)  # noqa: DTZ005 - what the library compares with
        return str(self._client.finalize_order(order, until).fullchain_pem)

    def _shown(self, order: Any, proof: Proof) -> Mapping[str, str]:
        """Has every name that is asked for answered, then says that it is; the names that cannot be, each with why."""
        asked = {
            _name(each): _offered(each, proof.challenge(_name(each)))
            for each in order.authorizations
            if each.body.status == messages.STATUS_PENDING
        }
        key = self._network.key
        problems = proof.show({name: str(each.chall.validation(key)) for name, each in asked.items()})
        for each in () if problems else asked.values():
            self._client.answer_challenge(each, each.response(key))
        return problems

    def _disbelieved(self, order: Any) -> dict[str, str]:
        """The names that the authority does not believe are ours, each with why."""
        judged = {_name(each): self._judged(each) for each in order.authorizations}
        return {name: why for name, why in judged.items() if why is not None}

    def _judged(self, authorization: Any) -> str | None:
        """Waits until the authority has made up its mind about a name; why it does not believe it is ours."""
        while authorization.body.status == messages.STATUS_PENDING:
            if time.monotonic() > self._deadline:
                raise Failed(
                    "AuthoritySlow", "the authority did not make up its mind in time: it is asked again"
                )
            if self._stop.wait(POLL_SECONDS):
                raise Failed("Stopped", "the worker was told to stop: it is asked again")
            authorization, _ = self._client.poll(authorization)
        if authorization.body.status == messages.STATUS_VALID:
            return None
        said = [c.error.detail for c in authorization.body.challenges if c.error and c.error.detail]
        return str(said[0]) if said else f"it is {authorization.body.status.name}"

    def suggestion(self, chain: str) -> Suggestion:
        """When the authority suggests to renew; a whim of its clock is no reason to have no certificate."""
        try:
            when, again = self._client.renewal_time(chain.encode())
            return Suggestion(when.astimezone(UTC) if when else None, again.astimezone(UTC))
        except (Failed, RequestException, *_NONSENSE):
            return Suggestion(None, datetime.now(UTC) + ASKED_EVERY)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Says of every complaint what it means."""
        try:
            yield
        except messages.Error as error:
            code = {None: "Refused", "rateLimited": "RateLimited", "accountDoesNotExist": "NoAccount"}
            said = f"the authority says: {error.detail or error.typ}"
            raise Failed(code.get(error.code, "Refused"), said, self._asked_to_wait(error.code)) from None
        except InvalidJSONError:
            raise self._complaint("BadAnswer", "'s answer cannot be understood (no JSON)") from None
        except RequestException as error:
            if self._network.bounds.overrun:
                raise self._complaint("BadAnswer", "'s answer does not come to an end") from None
            if isinstance(error, SSLError):
                raise self._complaint("AuthorityDown", _UNTRUSTED) from None
            raise self._complaint("AuthorityDown", f" cannot be reached ({type(error).__name__})") from None
        except _NONSENSE as error:
            if any(isinstance(each, Response) and each.status_code >= 500 for each in error.args):
                raise self._complaint("AuthorityDown", " is out of order") from None
            words = f"'s answer cannot be understood ({type(error).__name__})"
            raise self._complaint("BadAnswer", words) from None

    def _complaint(self, code: str, words: str) -> Failed:
        return Failed(code, f"the authority{words}", self._asked_to_wait(""))

    def _asked_to_wait(self, code: str | None) -> timedelta | None:
        """How long the last answer asks to wait; an hour where it is too much for the authority and it does not say."""
        asked = asked_to_wait(self._network.retry_after, datetime.now(UTC))
        return asked or (timedelta(hours=1) if code == "rateLimited" else None)


def _name(authorization: Any) -> str:
    """The name that an authorization is about, as it was ordered."""
    return f"{'*.' if authorization.body.wildcard else ''}{authorization.body.identifier.value}"


def _offered(authorization: Any, challenge: str) -> Any:
    found = next((c for c in authorization.body.challenges if c.chall.typ == challenge), None)
    if found is None:
        raise Failed("NoChallenge", f"the authority does not offer {challenge} for {_name(authorization)}")
    return found


def _named(error: messages.Error) -> dict[str, str]:
    """Which names an authority refuses outright (RFC 8555, section 6.7.1)."""
    parts = [each for each in error.subproblems or () if each.identifier is not None]
    return {str(each.identifier.value): str(each.detail or each.typ) for each in parts if each.identifier}


def _new_key() -> str:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
