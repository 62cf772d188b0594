"""Whether a document is secured, and what is said of that: by its condition, and by events."""

from datetime import UTC, datetime, timedelta

from reconciler.conclude import news
from tests.reconciler.worlds import Host, condition
from tests.state.companies import company, document, site, user, with_material

SITE = "WebDomain/example.com"
ANNAS = company(user(), site())


def test_a_site_without_its_certificate_is_not_secured_and_says_so_until_none_is_wanted() -> None:
    host = Host()
    host.reconcile(company(user(), site(ssl_enabled=True)))
    assert condition(host.statuses[SITE], "Secured").reason == "NoCertificate"
    host.reconcile(ANNAS)
    assert condition(host.statuses[SITE], "Secured").reason == "NotWanted"
    assert "Secured" not in {c.type for c in host.statuses["User/anna"].conditions}


def test_a_certificate_that_is_in_order_is_said_to_be() -> None:
    one = with_material(document("Certificate", "example.com", "anna"))
    _, conclusions = Host().reconcile(company(user(), one, site(ssl_enabled=True)))
    for uid in ("Certificate/example.com", "WebDomain/example.com"):
        assert condition(conclusions[uid].status, "Ready").status
        assert condition(conclusions[uid].status, "Secured").status


def test_a_site_with_a_wish_that_has_no_effect_is_secured_and_says_so_unless_worse_is_to_be_told() -> None:
    own = with_material(document("Certificate", "example.com", "anna", acme_provider=None), "example.com")
    some = company(user(), own, site(ssl_enabled=True, letsencrypt_enabled=True))
    host = Host()
    host.reconcile(some)
    secured = condition(host.statuses[SITE], "Secured")
    assert (secured.status, secured.reason) == (True, "Certificate")
    assert "letsencrypt_enabled has no effect" in secured.message
    host.now = datetime.now(UTC) + timedelta(days=91)
    host.reconcile(some)
    assert condition(host.statuses[SITE], "Secured").reason == "Ended"


def test_a_site_whose_visitors_are_shown_another_certificate_is_not_secured() -> None:
    one = with_material(document("Certificate", "example.com", "anna"))
    host, secured = Host(), company(user(), one, site(ssl_enabled=True))
    host.reconcile(secured)
    host.there["shown:example.com"]["sha256"] = "another"
    survey = host.survey(secured)
    host.make(survey.plan, but={"shown:example.com"})
    status = host.conclude(survey, host.applied(survey.plan))[SITE].status
    assert (condition(status, "Secured").status, condition(status, "Secured").reason) == (False, "NotShown")
    host.reconcile(secured)
    assert condition(host.statuses[SITE], "Secured").status


def test_the_end_of_a_certificate_is_told_of_before_it_comes_once_and_when_it_has_come() -> None:
    one = with_material(document("Certificate", "example.com", "anna", acme_provider=None), "example.com")
    host, mine = Host(), company(user(), one, site(ssl_enabled=True))
    host.reconcile(mine)
    told = []
    for days in (80, 81, 91):
        host.now = datetime.now(UTC) + timedelta(days=days)
        survey, conclusions = host.reconcile(mine)
        told.append([(event.name, event.data["reason"]) for event in news(survey, conclusions)])
        assert not condition(host.statuses[one.uid], "Secured").status
    assert told == [[("ssl.certificate.failed", "EndsSoon")], [], [("ssl.certificate.failed", "Ended")]]
    assert condition(host.statuses[SITE], "Secured").reason == "Ended"
    assert not condition(host.statuses[one.uid], "Ready").status
