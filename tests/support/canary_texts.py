"""Actions that send a marker in each free-text field that a usual case does not fill."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from app.cases import queries as case_queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    get_path,
    make_acceptance,
    make_consent,
    make_lead_consent,
    unwrap,
)

REVIEW = "2026-06-05T12:00:00Z"
FACTS: tuple[Json, ...] = (
    {"name": "identification", "value": "presumed", "country": "KZ"},
    {"name": "guardian", "value": "not_needed"},
    {"name": "best_interests", "value": "not_needed"},
    {"name": "reflection_period", "value": "offered", "country": "KZ"},
)


class TextSource(Protocol):
    """A generator of marker texts: unique texts that a test can search for."""

    def make_text(self) -> str:
        """Return a new marker text."""

    def make_case(self) -> Json:
        """Return the body of a case that is filled with marker texts."""


def run_other_actions(
    say: TextSource, lead: Someone, case: Json, cast: Sequence[Someone]
) -> Iterator[Json]:
    """Perform the actions that a usual case leaves out, and yield the new referrals."""
    officer = cast[0]
    record_facts(say, officer, lead, case)
    yield from run_referrals(say, lead, case)
    pause_and_reopen(say, lead, case)
    replace_lead(say, officer, lead)
    vital = {"reason": "RISK_TO_LIFE", "note": say.make_text()}
    draft = unwrap(officer.create_case(**say.make_case(), vital_interest=vital))
    unwrap(officer.does("discard", draft))
    unwrap(lead.does("relocate", case, {"country": "UZ", "note": say.make_text()}))


def record_facts(say: TextSource, officer: Someone, lead: Someone, case: Json) -> None:
    """Record facts and a vital interest, and get emergency access to a section.

    The lead then asks a question, which the officer answers.
    """
    path = get_path(case)
    for fact in FACTS:
        unwrap(lead.create(f"{path}/facts", fact | {"note": say.make_text()}))
    vital = {"reason": "SERIOUS_HARM", "note": say.make_text()}
    unwrap(lead.create(f"{path}/vital-interests", vital))
    read_in_emergency(say, lead, path)
    ask = {"topics": ["needs"], "question": say.make_text()}
    question = unwrap(lead.create(f"{path}/questions", ask))
    answer = f"{path}/questions/{question['id']}/answer"
    unwrap(officer.send(answer, {"answer": say.make_text()}))


def read_in_emergency(say: TextSource, lead: Someone, path: str) -> None:
    """Get and end emergency access to a section, and record that the person was told."""
    reading = {"reason": "RISK_TO_LIFE", "sections": ["health"], "purpose": "protection"}
    access = unwrap(
        lead.create(f"{path}/emergency-access", reading | {"note": say.make_text()})
    )
    where = f"{path}/emergency-access/{access['id']}"
    overseer = lead.world.add_person("OVERSIGHT_DEMO", {Role.SUPERVISOR})
    unwrap(overseer.send(f"{where}/grant"))
    unwrap(lead.send(f"{where}/stop"))
    unwrap(lead.send(f"{where}/inform", {"note": say.make_text()}))


def run_referrals(say: TextSource, lead: Someone, case: Json) -> Iterator[Json]:
    """Refer a case to two shelters, and yield the referrals.

    The first shelter helps until its referral is withdrawn. The other shelter redirects its
    referral, and the lead revokes the draft that the redirect creates.
    """
    shelter, other = map(
        lead.world.add_person, ("KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN")
    )
    held, sent_on = (unwrap(lead.refer(case, one.code)) for one in (shelter, other))
    ask = {"topics": ["contact"], "question": say.make_text()}
    unwrap(shelter.does("ask", held, ask))
    unwrap(lead.does("answer", held, {"sections": ["contact"], "answer": say.make_text()}))
    unwrap(shelter.does("accept", held, make_acceptance()))
    unwrap(shelter.does("start", held, {"person_met": True}))
    hold = {"reason": "CONTACT_LOST", "review_at": REVIEW, "note": say.make_text()}
    unwrap(shelter.does("hold", held, hold))
    why = {"reason": "NO_LONGER_NEEDED", "note": say.make_text()}
    unwrap(lead.does("withdraw", held, why))
    on = {"reason": "NO_CAPACITY", "alternative": shelter.code, "note": say.make_text()}
    unwrap(other.does("redirect", sent_on, on))
    [draft] = unwrap(lead.get("/referrals", state="draft"))["items"]
    unwrap(lead.does("revoke", draft, why | {"note": say.make_text()}))
    yield from (held, sent_on, draft)


def pause_and_reopen(say: TextSource, lead: Someone, case: Json) -> None:
    """Suspend, resume and monitor a case, report an early visit, and stop and reopen it."""
    rest = {"reason": "SAFETY", "review_at": REVIEW}
    unwrap(lead.does("suspend", case, rest | {"note": say.make_text()}))
    unwrap(lead.does("resume", case))
    unwrap(lead.does("monitor", case, {}))
    unwrap(
        lead.does(
            "visits", case, {"person_met": True, "early": True, "note": say.make_text()}
        )
    )
    again = {"reason": "NEW_NEED"}
    unwrap(lead.does("reopen-assistance", case, again | {"note": say.make_text()}))
    stop = {"reason": "SURVIVOR_REQUEST", "note": say.make_text()}
    unwrap(lead.does("stop", case, stop))
    unwrap(lead.does("reopen", case, again | {"note": say.make_text()}))


def replace_lead(say: TextSource, officer: Someone, lead: Someone) -> None:
    """Let a desk assign a lead, and replace the lead when the lead does not act."""
    world = lead.world
    desk = world.add_person("DESK_CENTRAL_ASIA")
    second = world.add_person("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    given = [make_consent(focal_point="KZ_SHELTER_KOGERSHIN")]
    case = officer.submit(**say.make_case() | {"consents": given})
    for code in ("KZ_LEAD", "IOM"):
        named = make_consent(focal_point=code)
        unwrap(officer.create(f"{get_path(case)}/consents", named))
    choice = {"focal_point": "KZ_LEAD", "note": say.make_text()}
    given_to = desk.does("assign", case, choice | {"reason": "NOBODY_LEFT"})
    assert given_to.status_code == 204
    first = world.add_person("KZ_LEAD")
    first.take_lead(case)
    before = world.now
    world.advance(days=21)
    with first.begin_write() as tx:
        carrying.escalate_to_desk(tx, case_queries.lock(tx, case["code"]))
    agreed = make_lead_consent(reason="LEAD_SILENT", evidence=say.make_text())
    unwrap(desk.does_with(second, "record-lead-consent", case, agreed))
    body = {"focal_point": "IOM", "reason": "LEAD_SILENT", "person_informed": True}
    moved = desk.does_with(second, "take-over", case, body | {"note": say.make_text()})
    assert moved.status_code == 204
    world.now = before


ABOUT = [
    "history",
    "evidence",
    "routing",
    "consents",
    "access-log",
    "screenings",
    "facts",
    "questions",
    "emergency-access",
]
LISTS = ("/cases", "/referrals", "/worklist", "/approvals", "/figures/own")
