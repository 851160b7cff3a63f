"""When a return ends early, contact with the State of origin is undecided again."""

import pytest

from tests.support.returns import CONSULATE, EARLY, NO_GO, Homecoming, begin_return
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_closure,
    make_consent,
    make_handover_consent,
    make_takeover,
    unwrap,
)

ENDS = ["no_go", "called_off", "consent", "halted"]
CONSULAR: Json = {"service": "CONSULAR_DOCUMENT", "sections": ["needs"]}
LEGAL: Json = {"service": "LEGAL_AID", "sections": ["needs"]}


@pytest.fixture
def home(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Begin a person's return; the consulate may give documents and legal aid."""
    both = {"purposes": ["CONSULAR_DOCUMENT", "LEGAL_AID"], "sections": ["needs"]}
    return begin_return(
        world, officer, lead, consents=[make_consent(focal_point=CONSULATE, **both)]
    )


def list_worklist_kinds(home: Homecoming, who: Someone | None = None) -> list[str]:
    """Return the kinds of an office's worklist entries about the return."""
    about = f"returns/{home.record['id']}"
    return [kind for one, kind, _ in (who or home.lead).get_worklist() if one == about]


def end_return(home: Homecoming, how: str) -> None:
    """End a return before the person arrives, in the way that `how` names."""
    if how == "no_go":
        unwrap(home.does("lead", "no-go", NO_GO))
    elif how == "called_off":
        assert home.does("home", "call-off", {}).status_code == 204
    elif how == "consent":
        home.withdraw_consents("RETURN")
    else:
        home.advance("depart")
        home.withdraw_consents("RETURN")
        assert list_worklist_kinds(home) == ["confirm_arrival"]


def get_origin_contact(home: Homecoming) -> str:
    """Return the decision on contact with the State of origin, as the lead reads it."""
    opened = unwrap(home.lead.open(f"{get_path(home.case)}/safeguards"))
    return str(opened["content"]["origin_contact"])


@pytest.mark.parametrize("how", ENDS)
def test_ended_return_makes_the_lead_decide_again_by_a_deadline(
    home: Homecoming, how: str
) -> None:
    home.advance("inform")
    before = get_origin_contact(home)

    end_return(home, how)

    assert (before, get_origin_contact(home)) == ("permitted", "undecided")
    refused = home.lead.refer(home.case, CONSULATE, **CONSULAR)
    assert get_unmet(refused) == [("origin_permitted", "sender")]
    if how == "halted":
        unwrap(home.does("lead", "locate", {"person_met": True}))
    assert list_worklist_kinds(home) == ["review"]
    assert home.read()["due_at"] is not None
    home.write_safeguards(origin_contact="undecided")
    assert list_worklist_kinds(home) == ["review"]
    home.write_safeguards(origin_contact="permitted")
    assert list_worklist_kinds(home) == []
    assert unwrap(home.lead.refer(home.case, CONSULATE, **CONSULAR))["state"] == "sent"


@pytest.mark.parametrize("how", ENDS)
def test_office_of_origin_opens_nothing_until_the_lead_has_decided(
    home: Homecoming, how: str
) -> None:
    needs = f"{get_path(home.case)}/sections/needs"
    content = {"section": "needs", "summary": "Кеңес"}
    tag = {"If_Match": home.lead.get_tag(home.case)}
    unwrap(home.lead.ask("PUT", needs, content, headers=tag))
    unwrap(home.lead.refer(home.case, CONSULATE, **LEGAL))
    before = home.officer.open(needs).status_code

    end_return(home, how)
    ended = home.officer.open(needs).status_code
    lead = home.lead.open(needs).status_code
    home.write_safeguards(origin_contact="permitted")

    assert (before, ended, lead) == (200, 404, 200)
    assert home.officer.open(needs).status_code == 200


def test_undecided_contact_is_reminded_of_and_ends_with_the_case(home: Homecoming) -> None:
    end_return(home, "no_go")
    events = home.lead.poll()

    for _ in range(15):
        home.world.wait(days=1)
        risk = {"level": "low"}
        unwrap(home.lead.create(f"{get_path(home.case)}/risk-assessments", risk))
        events += home.lead.poll()

    assert list_types(events).count("return.overdue") == 1
    assert list_worklist_kinds(home) == ["review"]
    approval = home.lead.does("close", home.case, make_closure()).json()
    unwrap(home.supervisor.send(f"/approvals/{approval['id']}/approve"))
    unwrap(home.lead.does("close", home.case, make_closure(), Approval=approval["id"]))
    assert list_worklist_kinds(home) == []


def test_who_ends_a_return_does_not_become_the_author_of_the_safeguards(
    home: Homecoming,
) -> None:
    assert home.officer.open(f"{get_path(home.case)}/safeguards").is_success

    end_return(home, "called_off")

    opened = unwrap(home.lead.open(f"{get_path(home.case)}/safeguards"))
    own = unwrap(home.officer.open(f"{get_path(home.case)}/safeguards"))
    assert opened["author"] == "KZ_LEAD"
    assert own["content"]["origin_contact"] == "permitted"
    home_reads = home.home.open(f"{get_path(home.case)}/safeguards")
    assert get_problem(home_reads) == (404, "not-found")


@pytest.mark.parametrize("how", ["completed", "never_permitted"])
def test_decision_stands_where_the_person_is_home_or_nothing_was_permitted(
    home: Homecoming, how: str
) -> None:
    if how == "completed":
        home.advance("monitor")
        for _ in range(2):
            unwrap(home.does("home", "report", EARLY))
        stays = "permitted"
    else:
        home.write_safeguards(origin_contact="undecided")
        end_return(home, "no_go")
        stays = "undecided"

    assert get_origin_contact(home) == stays
    assert list_worklist_kinds(home) == []


def test_decision_waits_for_whoever_leads_the_case_next(home: Homecoming) -> None:
    end_return(home, "no_go")
    given = make_handover_consent("SANA_SEZIM")
    unwrap(home.lead.create(f"{get_path(home.case)}/consents", given))
    other = home.world.add_person("SANA_SEZIM")
    offer = unwrap(home.lead.offer(home.case, "SANA_SEZIM"))

    unwrap(other.does("accept", offer, make_takeover()))

    assert list_worklist_kinds(home) == []
    assert list_worklist_kinds(home, other) == ["review"]


def test_safeguards_written_from_before_the_end_are_refused(home: Homecoming) -> None:
    path, tag = f"{get_path(home.case)}/safeguards", home.lead.get_tag(home.case)
    end_return(home, "called_off")

    body = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    stale = home.lead.ask("PUT", path, body, headers={"If_Match": tag})

    assert get_problem(stale) == (412, "version-stale")
    assert get_origin_contact(home) == "undecided"
