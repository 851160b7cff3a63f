"""Tests of the end of each demonstration journey, and of data that offices must not see."""

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import pairwise

import pytest
from httpx import Client
from sqlalchemy import select

from app.access.role_scopes import get_allowed_scopes
from app.cases.models import Case, Party
from app.cli.demo_command import build_expiry, prepare_demo_keys
from app.cli.staffing import list_staffing_gaps
from app.demo import demo_accounts, journeys
from app.demo.demo_accounts import DEMO_ACCOUNTS, DemoAccount
from app.demo.demo_users import Demo, DemoCase, DemoUser, JourneyFailed, Json
from app.demo.journeys import JOURNEYS, Journey
from app.kernel.actors import HOLDING_RELATIONS, SERVICE, Role, Scope
from tests.support.databases import Copy
from tests.support.servers import Served, get_address, serve_world

ENDS = {
    Journey.WORKER: "closed",
    Journey.CHILD: "assisting",
    Journey.ASYLUM: "assisting",
    Journey.HANDOVER: "assisting",
    Journey.NO_RETURN: "assisting",
    Journey.REGIONS: "assisting",
    Journey.SILENCE: "assisting",
    Journey.HER_NO: "assisting",
}
LEADS = {
    Journey.WORKER: demo_accounts.KZ_LEAD,
    Journey.CHILD: demo_accounts.GT_LEAD,
    Journey.ASYLUM: demo_accounts.IOM,
    Journey.HANDOVER: demo_accounts.UZ_LEAD,
    Journey.NO_RETURN: demo_accounts.TT_LEAD,
    Journey.REGIONS: demo_accounts.PA_LEAD,
    Journey.SILENCE: demo_accounts.KZ_NGO,
    Journey.HER_NO: demo_accounts.KZ_NGO,
}


@dataclass
class Theatre:
    """A service with the API keys of all accounts, and the output of the journeys."""

    world: Served
    http: Client
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        keys = prepare_demo_keys(self.world.runtime)
        self.troupe = Demo(self.http, keys, self.said.append, self.world.now, self.run_out)

    def run_out(self, code: str) -> None:
        """Make the deadlines of a case due now, and run the worker."""
        build_expiry(self.world.runtime)(code)
        self.world.run_worker()

    def plays(self, journey: Journey) -> str:
        """Run a journey, and return the path of its case."""
        journeys.play(self.troupe, [journey])
        [case] = self.of(LEADS[journey]).get("cases")["items"]
        return f"cases/{case['code']}"

    def of(self, part: DemoAccount) -> DemoUser:
        return self.troupe.get_user(part)

    def all_that_is_known(self) -> dict[str, Json]:
        """Return the lists of each account that can read cases, by account and path."""
        paths = ("cases", "referrals", "handovers", "events", "worklist", "approvals")
        return {
            f"{part.label} {path}": remove_cursors(self.of(part).get(f"{path}?limit=200"))
            for part in DEMO_ACCOUNTS
            if Scope.CASES_READ in get_allowed_scopes(part.roles)
            for path in paths
        }


def remove_cursors(page: Json) -> Json:
    """Return a page with its items only, because its cursors depend on the time."""
    return {"items": page["items"]}


@contextmanager
def open_theatre(copy: Copy) -> Iterator[Theatre]:
    with (
        copy() as url,
        serve_world(url) as world,
        Client(base_url=get_address(world.port), timeout=30) as http,
    ):
        yield Theatre(world, http)


@pytest.fixture
def theatre(copy: Copy) -> Iterator[Theatre]:
    """Yield a service in which no journey has run yet."""
    with open_theatre(copy) as made:
        yield made


type Played = tuple[Theatre, str]
"""A service in which a journey has run, and the path of the journey's case."""
type After = Callable[[Journey], Played]


@pytest.fixture(scope="module")
def after(copy: Copy) -> Iterator[After]:
    """Yield a function that runs each journey only once for all tests."""
    with ExitStack() as stack:

        @cache
        def plays(journey: Journey) -> Played:
            theatre = stack.enter_context(open_theatre(copy))
            return theatre, theatre.plays(journey)

        yield plays


def find_referral(lead: DemoUser, service: str) -> Json:
    """Return the referral for a service, as the lead of the case sees it."""
    [found] = [r for r in lead.get("referrals")["items"] if r["service"] == service]
    return dict(found)


def get_path(one: Json) -> str:
    return f"referrals/{one['id']}"


@pytest.mark.parametrize("journey", Journey)
def test_it_ends_where_it_should_and_says_so(after: After, journey: Journey) -> None:
    theatre, case = after(journey)

    seen = theatre.of(LEADS[journey]).get(case)
    assert (seen["state"], seen["lead"]) == (ENDS[journey], LEADS[journey].focal_point)
    told = "\n".join(theatre.said)
    assert case.removeprefix("cases/") in told
    assert ENDS[journey] in told


def test_every_journey_is_tested_here() -> None:
    assert set(ENDS) == set(LEADS) == set(JOURNEYS) == set(Journey)


@pytest.mark.whole
@pytest.mark.slow
def test_told_again_nothing_changes(theatre: Theatre) -> None:
    journeys.play(theatre.troupe)
    before = theatre.all_that_is_known()
    theatre.said.clear()

    journeys.play(theatre.troupe)

    assert theatre.all_that_is_known() == before
    again = [line for line in theatre.said if "was started before" in line]
    assert len(again) == len(Journey)
    assert [
        line for line, end in zip(again, ENDS.values(), strict=True) if end not in line
    ] == []


@pytest.mark.slow
def test_a_child_is_protected_before_anybody_leads_and_with_the_notice_alone(
    after: After,
) -> None:
    theatre, case = after(Journey.CHILD)

    lead, protection = (
        theatre.of(demo_accounts.GT_LEAD),
        theatre.of(demo_accounts.GT_PROTECTION),
    )
    asked = find_referral(lead, "CHILD_PROTECTION")
    heard = lead.list_events()
    assert heard.index("referral.sent") < heard.index("case.lead_accepted")
    assert (asked["recipient"], asked["sections"]) == ("GT_CHILD_PROTECTION", [])
    for section in ("needs", "contact", "identity"):
        assert not protection.can_read(f"{case}/sections/{section}"), section
    facts = lead.get(f"{case}/facts")["items"]
    said = [(f["name"], f["value"], f["recorded_by"]) for f in facts]
    assert said[-2:] == [
        ("guardian", "appointed", "GT_CHILD_PROTECTION"),
        ("best_interests", "assessed", "GT_CHILD_PROTECTION"),
    ]
    assert "assess_interests" not in lead.list_deadlines(case)
    given = lead.get(f"{case}/consents")["items"]
    assert [one["given_by"] for one in given] == ["guardian_with_assent"]


@pytest.mark.slow
def test_the_consulate_that_met_a_child_is_not_told_where_it_is(after: After) -> None:
    theatre, case = after(Journey.CHILD)

    consulate = theatre.of(demo_accounts.HN_OFFICER)
    bed = find_referral(theatre.of(demo_accounts.GT_LEAD), "SHELTER")
    assert bed["state"] == "in_progress"
    assert not consulate.can_read(get_path(bed))
    assert not consulate.can_read(f"{get_path(bed)}/arrangement")
    assert consulate.get("referrals")["items"] == []
    assert not any("referral" in heard for heard in consulate.list_events())
    assert consulate.can_read(case)


@pytest.mark.slow
def test_the_state_that_is_feared_hears_nothing(after: After) -> None:
    theatre, case = after(Journey.ASYLUM)

    consulate = theatre.of(demo_accounts.TM_OFFICER)
    for path in ("events", "worklist", "cases", "referrals", "handovers"):
        assert consulate.get(path)["items"] == [], path
    for path in (case, f"{case}/evidence", f"{case}/routing", f"{case}/history"):
        assert consulate.read(path).status_code == 404, path
    told = "\n".join(theatre.said)
    assert (
        "not TM_CONSULATE_BISHKEK: not_of_the_country, not_considered, no_consent" in told
    )
    routing = theatre.of(demo_accounts.IOM).get(f"{case}/routing")
    assert "fear" not in str(routing)
    assert "asylum" not in str(routing).lower()


@pytest.mark.slow
def test_who_led_before_sees_nothing_new(after: After) -> None:
    theatre, case = after(Journey.HANDOVER)

    old, new = theatre.of(demo_accounts.KZ_LEAD), theatre.of(demo_accounts.UZ_LEAD)
    tx = find_referral(new, "REINTEGRATION")
    assert tx["state"] == "accepted"
    assert not old.can_read(get_path(tx))
    assert old.list_events()[-1] == "case.handed_over"
    assert old.get("worklist")["items"] == []
    assert not old.can_read(f"{case}/sections/needs")
    assert old.get("referrals")["items"] == []


@pytest.mark.slow
def test_the_new_lead_does_not_learn_where_he_sleeps(after: After) -> None:
    theatre, _ = after(Journey.HANDOVER)

    new = theatre.of(demo_accounts.UZ_LEAD)
    bed = find_referral(new, "SHELTER")
    assert (bed["sender"], bed["state"]) == ("UZ_LEAD", "in_progress")
    for paper in ("arrangement", "notes"):
        shown = new.read(f"{get_path(bed)}/{paper}")
        assert "Demo street" not in shown.text, paper


@pytest.mark.slow
def test_a_return_into_danger_stops_and_the_origin_never_reads_why(
    after: After,
) -> None:
    theatre, case = after(Journey.NO_RETURN)

    lead = theatre.of(demo_accounts.TT_LEAD)
    asked = find_referral(lead, "RETURN")
    going = lead.get(f"{get_path(asked)}/return")
    assert (going["state"], going["open_instead"]) == ("no_go", ["ASYLUM"])
    assert (asked["state"], asked["reason"]) == ("withdrawn", "NO_LONGER_NEEDED")
    by_two = [one["decision"] for one in lead.get("approvals")["items"]]
    assert by_two == ["used"]
    for part in (
        demo_accounts.JM_HOME,
        demo_accounts.JM_CONSULATE,
        demo_accounts.JM_OFFICER,
    ):
        who = theatre.of(part)
        assert not who.can_read(f"returns/{going['id']}"), part.label
        assert "return.refused" not in who.list_events(), part.label
    assert not theatre.of(demo_accounts.JM_HOME).can_read(f"{case}/sections/identity")
    assert find_referral(lead, "ASYLUM")["state"] == "accepted"


@pytest.mark.slow
def test_once_she_seeks_asylum_her_consulate_sees_to_no_papers(after: After) -> None:
    theatre, case = after(Journey.NO_RETURN)

    lead, consulate = (
        theatre.of(demo_accounts.TT_LEAD),
        theatre.of(demo_accounts.JM_CONSULATE),
    )
    papers = find_referral(lead, "CONSULAR_DOCUMENT")
    assert (papers["state"], papers["reason"]) == ("withdrawn", "NO_LONGER_NEEDED")
    assert lead.get(f"{case}/safeguards")["content"]["origin_contact"] == "blocked"
    asylum = find_referral(lead, "ASYLUM")
    assert not consulate.can_read(get_path(asylum))
    assert "ASYLUM" not in str(consulate.get("events?limit=200"))


@pytest.mark.slow
def test_without_an_agreement_the_notice_crosses_and_no_more(after: After) -> None:
    theatre, case = after(Journey.REGIONS)

    lead, centre = theatre.of(demo_accounts.PA_LEAD), theatre.of(demo_accounts.UZ_CENTRE)
    family = find_referral(lead, "FAMILY_TRACING")
    assert (family["state"], family["sections"]) == ("accepted", [])
    assert centre.get(case)["summary"]["country"] == "PA"
    for section in ("needs", "contact", "identity", "narrative"):
        assert not centre.can_read(f"{case}/sections/{section}"), section
    agreements = lead.get("agreements")["items"]
    assert [one for one in agreements if "PA" in one["countries"]] == []


@pytest.mark.slow
def test_the_prosecutor_hears_of_him_only_after_he_was_told_and_agreed(
    after: After,
) -> None:
    theatre, case = after(Journey.REGIONS)

    lead, prosecutor = (
        theatre.of(demo_accounts.PA_LEAD),
        theatre.of(demo_accounts.PA_PROSECUTOR),
    )
    asked = find_referral(lead, "LAW_ENFORCEMENT")
    assert asked["sections"] == ["narrative", "needs"]
    heard = lead.list_events()
    told = (
        heard.index("case.fact_recorded"),
        len(heard) - heard[::-1].index("consent.recorded"),
    )
    sent = [i for i, one in enumerate(heard) if one == "referral.sent"]
    assert max(told) <= sent[-1]
    assert prosecutor.can_read(f"{case}/sections/narrative")
    for section in ("contact", "identity"):
        assert not prosecutor.can_read(f"{case}/sections/{section}"), section
    consents = lead.get(f"{case}/consents")["items"]
    mine = [c for c in consents if "LAW_ENFORCEMENT" in c["purposes"]]
    assert [(c["focal_point"], c["purposes"]) for c in mine] == [
        ("PA_PROSECUTOR", ["LAW_ENFORCEMENT"])
    ]


@pytest.mark.slow
def test_the_consulate_abroad_knows_that_and_not_where(after: After) -> None:
    theatre, case = after(Journey.REGIONS)

    consulate = theatre.of(demo_accounts.UZ_FAR_OFFICER)
    assert consulate.get(case)["state"] == "assisting"
    assert consulate.get("referrals")["items"] == []
    assert not consulate.can_read(f"{case}/contacts")
    assert not any("referral" in heard for heard in consulate.list_events())


@pytest.mark.slow
def test_a_no_holds_at_once_and_a_name_is_denied_to_a_state_body(after: After) -> None:
    theatre, case = after(Journey.HER_NO)

    lead, shelter = theatre.of(demo_accounts.KZ_NGO), theatre.of(demo_accounts.KZ_SHELTER)
    assert not shelter.can_read(case)
    assert not shelter.can_read(f"{case}/sections/contact")
    assert shelter.get("worklist")["items"] == []
    assert shelter.list_events()[-3:] == [
        *("referral.accepted", "referral.withdrawn", "referral.deletion_confirmed"),
    ]
    heard = lead.list_events()
    assert heard.index("consent.withdrawn") + 1 == heard.index("referral.withdrawn")
    assert "referral.deletion_confirmed" in heard
    assert theatre.of(demo_accounts.KZ_LEAD).get("events")["items"] == []
    told = "\n".join(theatre.said)
    assert "withdrawn: CONSENT_WITHDRAWN" in told
    assert "KZ_SHELTER_TANSHOLPAN: contact, yes" in told
    # Reads by a stranger are not recorded.
    assert "KZ_SHELTER_TANSHOLPAN: contact, no" not in told
    assert "KZ_LEGAL_AID: contact, no" in told


def test_the_cast_has_every_role_and_its_oversight_and_desks_can_act(
    theatre: Theatre,
) -> None:
    runtime = theatre.world.runtime
    with runtime.database.begin_read() as session:
        gaps = "\n".join(list_staffing_gaps(session, runtime.time(session)))

    assert {role for part in DEMO_ACCOUNTS for role in part.roles} == set(Role)
    assert "DESK_CARIBBEAN" in gaps
    for office in ("OVERSIGHT_DEMO", "DESK_CENTRAL_ASIA", "DESK_CENTRAL_AMERICA"):
        assert office not in gaps
    [first, second] = demo_accounts.ADMINISTRATORS
    assert first.focal_point != second.focal_point


def test_all_that_is_made_up_says_so() -> None:
    made_up = files("app.demo").joinpath("data", "focal_points.csv").read_text("utf-8")
    rows = list(csv.DictReader(made_up.splitlines()))

    assert [row["code"] for row in rows if row["confidence"] != "fictitious"] == []
    assert [row["code"] for row in rows if "(fictitious)" not in row["name"]] == []
    assert {part.focal_point for part in DEMO_ACCOUNTS} & {row["code"] for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("journey", Journey)
def test_every_need_that_is_told_says_that_it_is_synthetic(
    after: After, journey: Journey
) -> None:
    theatre, case = after(journey)

    lead, path = theatre.of(LEADS[journey]), f"{case}/sections/needs"
    found = lead.read(path)
    if ENDS[journey] == "closed":
        assert found.status_code == 404
    elif journey != Journey.CHILD:
        assert "(synthetic)" in found.json()["content"]["summary"]


@pytest.mark.slow
def test_whoever_is_told_too_much_breaks_the_story(theatre: Theatre) -> None:
    tale = DemoCase(theatre.troupe, "SC-0000-0000-0000-0")

    tale.expect_hidden(False, [], None)
    with pytest.raises(JourneyFailed, match=tale.code):
        tale.expect_hidden(False, ["referral.sent"])


def test_whoever_is_silent_is_overtaken_and_the_officer_sees_it(after: After) -> None:
    theatre, case = after(Journey.SILENCE)

    first, second = theatre.of(demo_accounts.UZ_OFFICER).get(f"{case}/evidence")["items"]
    assert [silence["name"] for silence in first["missed_deadlines"]] == [
        *("not_retrieved", "not_acknowledged"),
    ]
    assert (first["recipient"], second["recipient"]) == ("KZ_LEAD", "SANA_SEZIM")
    assert (second["rank"], second["missed_deadlines"]) == (5, [])
    told = "\n".join(theatre.said)
    assert "KZ_LEAD: not_acknowledged" in told
    assert "SANA_SEZIM has the case now" in told
    assert theatre.of(demo_accounts.KZ_LEAD).list_events()[1:3] == [
        *("case.not_acknowledged", "case.rerouted"),
    ]


def test_at_no_time_the_case_is_without_an_owner(after: After) -> None:
    theatre, path = after(Journey.SILENCE)
    case = path.removeprefix("cases/")

    with theatre.world.database.begin_read(SERVICE) as session:
        of = select(Party).join(Case, Case.id == Party.case_id).where(Case.code == case)
        held = session.scalars(of.order_by(Party.number)).all()
    times = [
        (party.since, party.until) for party in held if party.relation in HOLDING_RELATIONS
    ]
    assert times[-1][1] is None
    assert all(old[1] == new[0] for old, new in pairwise(times))
