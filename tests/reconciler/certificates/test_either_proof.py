"""By dns-01 a name that is in no zone here is shown by the site that has it; wildcards need a zone."""

from reconciler.certificates.unserved import NOT_SERVED, UNHOSTED
from state import store
from state.kinds import EVERY
from tests.reconciler.certificates.office import Office


def test_names_in_no_zone_are_shown_by_their_sites_and_wildcards_are_not(office: Office) -> None:
    one = office.site("a.example", "anna", aliases=["b.example"])
    names = ["b.example", "c.example"]
    one = office.company.change(one, acme_challenge_type="dns01", is_wildcard=True, san_domains=names)
    office.looked_at()
    job = office.ask(one)
    assert job.status == "completed"
    kept = office.kept(one)
    assert kept["names"] == ["a.example", "b.example"]
    codes = {name: each["code"] for name, each in kept["left_out"].items()}
    assert codes == {"c.example": NOT_SERVED, "*.a.example": UNHOSTED}
    told = "no zone of anna that is served here has this name, and no site of anna has this name: make one"
    assert told in kept["left_out"]["c.example"]["message"]


def test_one_for_a_name_that_nobody_has_here_is_not_put_to_the_authority(office: Office) -> None:
    values = {"acme_provider": "pebble", "acme_challenge_type": "dns01"}
    one = office.company.certificate("a.example", "anna", **values)
    office.looked_at()
    job = office.ask(one)
    assert (job.status, office.kept(one)["trouble"]["code"]) == ("failed", NOT_SERVED)
    assert office.asked["order-plz"] == 0
    office.company.site("a.example", "anna")
    office.looked_at()
    assert office.ask(one).status == "completed"


def test_a_name_that_its_zone_has_given_to_other_servers_is_shown_by_its_site(office: Office) -> None:
    zone = office.company.zone("a.example", "anna", primary_ns="ns1.example.net.")
    with office.database.writing() as connection:
        values = {"name": "sub", "record_type": "NS", "value": "ns.elsewhere.test."}
        store.create(connection, EVERY["DnsRecord"], "ns.a.example", "anna", values, actor="test", whole=zone)
    one = office.site("web.sub.a.example", "anna")
    one = office.company.change(one, acme_challenge_type="dns01")
    office.looked_at()
    assert office.ask(one).status == "completed"
    assert office.kept(one)["names"] == ["web.sub.a.example"]


def test_a_site_that_is_switched_off_shows_nothing(office: Office) -> None:
    one = office.site("a.example", "anna", is_active=False)
    assert (office.ask(one).status, office.kept(one)["trouble"]["code"]) == ("failed", NOT_SERVED)
    assert office.asked["order-plz"] == 0
