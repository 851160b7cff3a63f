"""Changes of one case alone; actions that change other records are in `casework`."""

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import delete

from app.access import actions as access
from app.cases import queries
from app.cases.facts import BestInterests, require_assessment
from app.cases.lifecycle import CLOCKS, EVENTS, OPEN, Row, State
from app.cases.models import Case, CaseKey, Sealed
from app.cases.records import Fact, RiskAssessment, SummarySnapshot, VitalInterest
from app.cases.risk import HOLDS_FOR
from app.cases.schemas import NewRisk, NewVitalInterest, NoticeFields
from app.cases.sealing import seal_padded
from app.cases.sections import Paper, Sealable
from app.cases.vital_interest import HOLDS_FOR as VITAL_HOLDS_FOR
from app.deadlines import actions as deadlines
from app.deadlines import queries as clocks
from app.deadlines.limits import ClockKind
from app.kernel import lifecycle
from app.kernel.actors import Relation, Side
from app.kernel.codes import create_case_code
from app.kernel.problems import Facts
from app.kernel.transactions import Recorded, Writing


def open_draft(work: Writing, notice: NoticeFields, digest: str | None) -> Case:
    """Create a draft with its own data key; the submitter becomes a party to it.

    `digest` is the fingerprint of the submitter's own number for the case, if it has one.
    """
    case = Case(
        id=work.create_id(),
        code=create_case_code(work.create_id()),
        services=[],
        urgent_needs=[],
        parties=[],
        opened_at=work.now,
        drafted_by=work.actor.account_id,
        external_digest=digest,
    )
    case.add_party(work.actor.focal_point_id, Relation.SUBMITTER, work.now)
    work.session.add(case)
    update_summary(case, notice)
    made = work.vault.create_key(case.id)
    key = CaseKey(case_id=case.id, version=made.version, wrapped=made.wrapped)
    work.session.add(key)
    work.kept_alive.add(key)
    work.session.flush()
    return case


def save_summary_snapshot(work: Writing, case: Case) -> None:
    """Store the summary for the submitter when it hands the case on, once (R12)."""
    if case.id not in queries.load_snapshots(work, [case.id]):
        said = {name: getattr(case, name) for name in NoticeFields.model_fields}
        work.session.add(SummarySnapshot(case_id=case.id, **said))
        case.renew_snapshots(case.submitter)


def update_summary(case: Case | SummarySnapshot, notice: NoticeFields) -> list[str]:
    """Merge given fields into the summary (RFC 7396) and return those that changed."""
    given = notice.model_dump(exclude_unset=True)
    for name in given.keys() & {"services", "urgent_needs"}:
        given[name] = sorted(set(given[name] or []))
    changed = [name for name, value in given.items() if getattr(case, name) != value]
    for name in changed:
        setattr(case, name, given[name])
    return sorted(changed)


def replace_sealed(
    work: Writing, record: Recorded, kind: Sealable, content: BaseModel
) -> None:
    """Replace the sealed document of this kind, or add it; past safeguards are kept."""
    kept = queries.find_sealed(work, record.id, kind)
    if kept is None:
        store_sealed(work, record, kind, content)
    else:
        if kind == Paper.SAFEGUARDS:
            save_past_safeguards(work, kept)
        seal_padded(work, kept, content.model_dump_json().encode())
        kept.author, kept.written_at = work.actor.focal_point_id, work.now


def save_past_safeguards(work: Writing, kept: Sealed) -> None:
    """Store a sealed copy of replaced safeguards: LIFECYCLES.md requires a history."""
    past = Sealed(
        id=work.create_id(),
        case_id=kept.case_id,
        record_id=kept.record_id,
        kind=Paper.SAFEGUARDS_PAST,
        author=kept.author,
        written_at=kept.written_at,
    )
    seal_padded(work, past, queries.open_sealed(work, kept))
    work.session.add(past)


def store_sealed(
    work: Writing,
    record: Recorded,
    kind: Sealable,
    content: BaseModel,
    *,
    about: str | None = None,
) -> None:
    """Seal a new document of a record, beside those that exist."""
    document = Sealed(
        id=work.create_id(),
        case_id=record.case_id,
        record_id=record.id,
        kind=kind,
        about=about,
        author=work.actor.focal_point_id,
        written_at=work.now,
    )
    seal_padded(work, document, content.model_dump_json().encode())
    work.session.add(document)


def add_risk_assessment(work: Writing, case: Case, risk: NewRisk) -> None:
    """Add a risk assessment; its remarks are sealed as a note."""
    assessment = RiskAssessment(
        id=work.create_id(),
        case_id=case.id,
        level=risk.level,
        assessed_by=work.actor.focal_point_id,
        assessed_at=work.now,
    )
    work.session.add(assessment)
    if CLOCKS.get(case.state, (None, None))[0] == ClockKind.REVIEW_RISK:
        start_deadline(work, case)
    if risk.remarks:
        add_note(work, case, "risk", risk.remarks)


def take_step(  # noqa: PLR0913 - each is a part of the step
    work: Writing,
    case: Case,
    step: Row,
    facts: Facts | None = None,
    *,
    audience_before: frozenset[UUID],
    due_at: datetime | None = None,
) -> None:
    """Take a step: set the state, start its deadline and record the event.

    `before` is the audience before the step, `until` the deadline if the step sets one. A
    step of the system is recorded as such, whatever triggered it.
    """
    was = case.state
    lifecycle.apply_step(case, step)
    suspended = case.state == State.SUSPENDED
    case.suspended_while_referring = suspended and was == State.REFERRING
    case.raise_version()
    start_deadline(work, case, due_at)
    expire_approvals(
        work, case, moved=case.state != was and State.SUSPENDED not in {was, case.state}
    )
    facts = {"state": case.state, **(facts or {})}
    by_system = step.sides == {Side.SYSTEM}
    audience = audience_before | case.audience
    work.record(EVENTS[step.action], case, audience, facts, by_system=by_system)


def expire_approvals(
    work: Writing, case: Case, about: Recorded | None = None, *, moved: bool = False
) -> None:
    """Expire the approvals of a case that may no longer be used (R14).

    With `about`, those about one record. Otherwise those of overseers are spared and, while
    the case is open, those of its escalation desk and its holder. If the state changed
    (`moved`), the holder's expire too: its approver judged the former state.
    """
    holder = None if moved else case.holder
    asking = (holder, case.with_relation(Relation.ESCALATION_DESK))
    deciding = {one for one in asking if one and case.state in OPEN}
    spared = case.overseers | deciding
    subject = about.reference if about else None
    ended = access.expire_approvals(work, case.id, subject=subject, except_offices=spared)
    deadlines.stop_all(work, ended)


def start_deadline(work: Writing, case: Case, until: datetime | None = None) -> None:
    """Start the deadline for the current state of the case.

    Deadlines of facts about a child are passed on to the holder.
    """
    if case.state not in OPEN:
        deadlines.stop_kinds(work, case.id, *OTHER_KINDS)
    if case.state not in CLOCKS:
        deadlines.stop(work, case.id)
        return
    kind, side = CLOCKS[case.state]
    if kind == ClockKind.MONITOR and not case.visits:
        kind = ClockKind.REVIEW_CLOSURE
    waits_on = {Side.SUBMITTER: case.submitter, Side.HOLDER: case.holder}.get(side)
    until = until or get_due_at(work, case, kind, waits_on)
    deadlines.restart(work, case, kind, until, waits_on=waits_on)
    if case.is_child:
        interests = queries.load_facts(work, [case.id]).get(case.id, [])
        deadlines.hand_over(work, [fact.id for fact in interests], case.holder)


OTHER_KINDS: Final = (ClockKind.ASSESS_INTERESTS, ClockKind.CONSENT_ENDS, ClockKind.ANSWER)
"""Kinds of deadlines that run beside the one for the state of a case."""


def get_due_at(
    work: Writing, case: Case, kind: ClockKind, waits_on: UUID | None
) -> datetime:
    """Return when the deadline of a kind ends.

    Risk is due when its last assessment expires (D12); in a drill the deadline is shorter.
    """
    if kind == ClockKind.REVIEW_RISK:
        work.session.flush()
        risk = queries.load_latest_risks(work, [case.id]).get(case.id)
        if risk is not None:
            return risk.assessed_at + HOLDS_FOR[risk.level] / work.runtime.speed
    if kind == ClockKind.MONITOR:
        return datetime.fromisoformat(case.visits[0])
    return clocks.compute_due_at(work, kind, case, waits_on=waits_on)


class NoteText(BaseModel):
    """A free text that is given with a step."""

    text: str


def add_note(work: Writing, record: Recorded, about: str, text: str | None) -> None:
    """Seal a free text as a note on the step, if one was given."""
    if text:
        store_sealed(work, record, Paper.NOTE, NoteText(text=text), about=about)


def add_message(work: Writing, record: Recorded, about: str, text: str | None) -> None:
    """Seal a free text as a message to the other office, if one was given."""
    if text:
        store_sealed(work, record, Paper.MESSAGE, NoteText(text=text), about=about)


def add_oversight(work: Writing, case: Case, oversight: list[UUID]) -> None:
    """Add oversight offices to the parties; they cannot open sealed documents."""
    for focal_point in oversight:
        case.add_party(focal_point, Relation.OVERSIGHT, work.now)


def delete_sealed(work: Writing, case: Case, kind: Sealable) -> None:
    """Delete a kind of sealed document of a case."""
    named = (Sealed.record_id == case.id) & (Sealed.kind == kind)
    work.session.execute(delete(Sealed).where(named))


def add_fact(work: Writing, case: Case, fact: Fact, text: str | None = None) -> Fact:
    """Add a fact and stop the deadline of the fact that it replaces.

    If the new fact says that an assessment is still due, the deadline continues for it.
    Raises AssessmentOwed (409).
    """
    require_assessment(fact, child=case.is_child)
    known = queries.load_facts(work, [case.id]).get(case.id, [])
    before = [one.id for one in known if one.name == fact.name]
    work.session.add(fact)
    work.session.flush()
    if fact.value == BestInterests.ASSESSMENT_DUE:
        deadlines.move_to_record(work, before, fact.id)
    else:
        deadlines.stop_all(work, before)
    add_note(work, case, fact.name, text)
    return fact


def declare_vital_interest(
    work: Writing, case: Case, new: NewVitalInterest
) -> VitalInterest:
    """Declare a vital interest; the write audience and overseers receive the event."""
    declared = VitalInterest(
        id=work.create_id(),
        case_id=case.id,
        reason=new.reason,
        declared_by=work.actor.focal_point_id,
        account_id=work.actor.account_id,
        declared_at=work.now,
        holds_until=work.now + VITAL_HOLDS_FOR,
    )
    work.session.add(declared)
    work.session.flush()
    add_note(work, case, "vital_interest", new.note)
    facts = {"reason": new.reason}
    work.record("case.vital_interest", case, case.write_audience | case.overseers, facts)
    return declared
