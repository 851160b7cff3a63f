"""Actions that send a marker text in every free text outside the main course of a case."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from app.cases import queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    consent,
    done,
    lead_consent,
    path_of,
    promise,
)

REVIEW = "2026-06-05T12:00:00Z"
FACTS: tuple[Json, ...] = (
    {"name": "identification", "value": "presumed", "country": "KZ"},
    {"name": "guardian", "value": "not_needed"},
    {"name": "best_interests", "value": "not_needed"},
    {"name": "reflection_period", "value": "offered", "country": "KZ"},
)


class TextSource(Protocol):
    """A generator of marker texts."""

    def text(self) -> str:
        """Return a new marker text."""

    def case(self) -> Json:
        """Return the body of a case that is filled with marker texts."""


def run_other_actions(
    say: TextSource, lead: Someone, case: Json, cast: Sequence[Someone]
) -> Iterator[Json]:
    """Perform the remaining actions with a note each; yield the referrals they create."""
    officer = cast[0]
    record_facts(say, officer, lead, case)
    yield from run_referrals(say, lead, case)
    pause_and_reopen(say, lead, case)
    replace_lead(say, officer, lead)
    vital = {"reason": "RISK_TO_LIFE", "note": say.text()}
    draft = done(officer.writes_case(**say.case(), vital_interest=vital))
    done(officer.does("discard", draft))
    done(lead.does("relocate", case, {"country": "UZ", "note": say.text()}))


def record_facts(say: TextSource, officer: Someone, lead: Someone, case: Json) -> None:
    """Record facts and a vital interest, ask a question and answer it."""
    path = path_of(case)
    for fact in FACTS:
        done(lead.creates(f"{path}/facts", fact | {"note": say.text()}))
    vital = {"reason": "SERIOUS_HARM", "note": say.text()}
    done(lead.creates(f"{path}/vital-interests", vital))
    read_in_emergency(say, lead, path)
    ask = {"topics": ["needs"], "question": say.text()}
    asked = done(lead.creates(f"{path}/questions", ask))
    answer = f"{path}/questions/{asked['id']}/answer"
    done(officer.post(answer, {"answer": say.text()}))


def read_in_emergency(say: TextSource, lead: Someone, path: str) -> None:
    """Read a section by emergency access, and record that the person was informed."""
    reading = {"reason": "RISK_TO_LIFE", "sections": ["health"], "purpose": "protection"}
    asked = done(lead.creates(f"{path}/vital-readings", reading | {"note": say.text()}))
    where = f"{path}/vital-readings/{asked['id']}"
    overseer = lead.world.someone("OVERSIGHT_DEMO", {Role.SUPERVISOR})
    done(overseer.post(f"{where}/permit"))
    done(lead.post(f"{where}/stop"))
    done(lead.post(f"{where}/inform", {"note": say.text()}))


def run_referrals(say: TextSource, lead: Someone, case: Json) -> Iterator[Json]:
    """Ask, answer, hold, withdraw and redirect referrals to two shelters."""
    shelter, other = map(
        lead.world.someone, ("KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN")
    )
    held, sent_on = (done(lead.refers(case, one.code)) for one in (shelter, other))
    ask = {"topics": ["contact"], "question": say.text()}
    done(shelter.does("ask", held, ask))
    done(lead.does("answer", held, {"sections": ["contact"], "answer": say.text()}))
    done(shelter.does("accept", held, promise()))
    done(shelter.does("start", held, {"person_met": True}))
    hold = {"reason": "CONTACT_LOST", "review_at": REVIEW, "note": say.text()}
    done(shelter.does("hold", held, hold))
    why = {"reason": "NO_LONGER_NEEDED", "note": say.text()}
    done(lead.does("withdraw", held, why))
    on = {"reason": "NO_CAPACITY", "alternative": shelter.code, "note": say.text()}
    done(other.does("redirect", sent_on, on))
    [draft] = done(lead.get("/referrals", state="draft"))["items"]
    done(lead.does("revoke", draft, why | {"note": say.text()}))
    yield from (held, sent_on, draft)


def pause_and_reopen(say: TextSource, lead: Someone, case: Json) -> None:
    """Suspend, resume, monitor, stop and reopen a case."""
    rest = {"reason": "SAFETY", "review_at": REVIEW}
    done(lead.does("suspend", case, rest | {"note": say.text()}))
    done(lead.does("resume", case))
    done(lead.does("monitor", case, {}))
    done(lead.does("visits", case, {"person_met": True, "early": True, "note": say.text()}))
    again = {"reason": "NEW_NEED"}
    done(lead.does("reopen-assistance", case, again | {"note": say.text()}))
    stop = {"reason": "SURVIVOR_REQUEST", "note": say.text()}
    done(lead.does("stop", case, stop))
    done(lead.does("reopen", case, again | {"note": say.text()}))


def replace_lead(say: TextSource, officer: Someone, lead: Someone) -> None:
    """Let a desk assign a lead, and replace that lead when it does not act."""
    world = lead.world
    desk = world.someone("DESK_CENTRAL_ASIA")
    second = world.someone("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    given = [consent(focal_point="KZ_SHELTER_KOGERSHIN")]
    case = officer.submits(**say.case() | {"consents": given})
    for code in ("KZ_LEAD", "IOM"):
        named = consent(focal_point=code)
        done(officer.creates(f"{path_of(case)}/consents", named))
    choice = {"focal_point": "KZ_LEAD", "note": say.text()}
    given_to = desk.does("assign", case, choice | {"reason": "NOBODY_LEFT"})
    assert given_to.status_code == 204
    first = world.someone("KZ_LEAD")
    first.leads(case)
    before = world.now
    world.passes(days=21)
    with first.writing() as work:
        carrying.escalate(work, queries.lock(work, case["code"]))
    agreed = lead_consent(reason="LEAD_SILENT", evidence=say.text())
    done(desk.does_with(second, "record-lead-consent", case, agreed))
    body = {"focal_point": "IOM", "reason": "LEAD_SILENT", "person_informed": True}
    moved = desk.does_with(second, "take-over", case, body | {"note": say.text()})
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
    "vital-readings",
]
LISTS = ("/cases", "/referrals", "/worklist", "/approvals")
