"""Actions that change only one case. Actions that change more records are in `casework`."""

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from app.access import approvals as access_approvals
from app.cases import queries as case_queries
from app.cases.facts import BestInterests, require_assessment
from app.cases.lifecycle import CLOCKS, EVENTS, OPEN, Row, State
from app.cases.models import Case, CaseKey, Sealed
from app.cases.records import Fact, RiskAssessment, SummarySnapshot, VitalInterest
from app.cases.risk import HOLDS_FOR
from app.cases.schemas import RiskInput, SummaryFields, VitalInterestInput
from app.cases.sealing import find_document, seal_padded
from app.cases.sections import Paper, Sealable
from app.cases.vital_interest import HOLDS_FOR as VITAL_HOLDS_FOR
from app.deadlines import actions as deadline_actions
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.kernel import lifecycle as kernel_lifecycle
from app.kernel.actors import Relation, Side
from app.kernel.codes import create_case_code
from app.kernel.problems import Facts
from app.kernel.transactions import Recorded, WriteTransaction


def open_draft(tx: WriteTransaction, summary: SummaryFields, digest: str | None) -> Case:
    """Create a draft with its own data key and the caller's office as the submitter.

    `digest` is the fingerprint of the submitter's own number for the case, if there is one.
    """
    case = Case(
        id=tx.create_id(),
        code=create_case_code(tx.create_id()),
        services=[],
        urgent_needs=[],
        parties=[],
        opened_at=tx.now,
        drafted_by=tx.actor.account_id,
        external_digest=digest,
    )
    case.add_party(tx.actor.focal_point_id, Relation.SUBMITTER, tx.now)
    tx.session.add(case)
    update_summary(case, summary)
    made = tx.vault.create_key(case.id)
    key = CaseKey(case_id=case.id, version=made.version, wrapped=made.wrapped)
    tx.session.add(key)
    tx.kept_alive.add(key)
    tx.session.flush()
    return case


def save_summary_snapshot(tx: WriteTransaction, case: Case) -> None:
    """Store the current summary for the submitter, unless one is already stored (R12)."""
    if case.id not in case_queries.load_snapshots(tx, [case.id]):
        said = {name: getattr(case, name) for name in SummaryFields.model_fields}
        tx.session.add(SummarySnapshot(case_id=case.id, **said))
        case.renew_snapshots(case.submitter)


def update_summary(case: Case | SummarySnapshot, summary: SummaryFields) -> list[str]:
    """Merge fields into the summary (RFC 7396) and return the names of changed fields."""
    given = summary.model_dump(exclude_unset=True)
    for name in given.keys() & {"services", "urgent_needs"}:
        given[name] = sorted(set(given[name] or []))
    changed = [name for name, value in given.items() if getattr(case, name) != value]
    for name in changed:
        setattr(case, name, given[name])
    return sorted(changed)


def replace_sealed(
    tx: WriteTransaction, record: Recorded, kind: Sealable, content: BaseModel
) -> None:
    """Replace or add a sealed document of a record. A copy of old safeguards is kept."""
    kept = find_document(tx, record.id, kind)
    if kept is None:
        store_sealed(tx, record, kind, content)
    else:
        if kind == Paper.SAFEGUARDS:
            save_past_safeguards(tx, kept)
        seal_padded(tx, kept, content.model_dump_json().encode())
        kept.author, kept.written_at = tx.actor.focal_point_id, tx.now


def save_past_safeguards(tx: WriteTransaction, kept: Sealed) -> None:
    """Store a copy of replaced safeguards, because LIFECYCLES.md requires a history."""
    past = Sealed(
        id=tx.create_id(),
        case_id=kept.case_id,
        record_id=kept.record_id,
        kind=Paper.SAFEGUARDS_PAST,
        author=kept.author,
        written_at=kept.written_at,
    )
    seal_padded(tx, past, case_queries.open_sealed(tx, kept))
    tx.session.add(past)


def store_sealed(
    tx: WriteTransaction,
    record: Recorded,
    kind: Sealable,
    content: BaseModel,
    *,
    about: str | None = None,
) -> None:
    """Seal a new document of a record. Existing documents of the same kind are kept."""
    document = Sealed(
        id=tx.create_id(),
        case_id=record.case_id,
        record_id=record.id,
        kind=kind,
        about=about,
        author=tx.actor.focal_point_id,
        written_at=tx.now,
    )
    seal_padded(tx, document, content.model_dump_json().encode())
    tx.session.add(document)


def add_risk_assessment(
    tx: WriteTransaction, case: Case, risk: RiskInput
) -> RiskAssessment:
    """Add a risk assessment, and seal its remarks as a note.

    If the case has a deadline for the review of the risk, this deadline is restarted.
    """
    assessment = RiskAssessment(
        id=tx.create_id(),
        case_id=case.id,
        level=risk.level,
        assessed_by=tx.actor.focal_point_id,
        assessed_at=tx.now,
    )
    tx.session.add(assessment)
    if CLOCKS.get(case.state, (None, None))[0] == DeadlineKind.REVIEW_RISK:
        start_deadline(tx, case)
    if risk.remarks:
        add_note(tx, case, "risk", risk.remarks)
    return assessment


def take_step(  # noqa: PLR0913 - each is a part of the step
    tx: WriteTransaction,
    case: Case,
    step: Row,
    facts: Facts | None = None,
    *,
    audience_before: frozenset[UUID],
    due_at: datetime | None = None,
) -> None:
    """Take a step of a case: set the state, start the deadline and record the event.

    `due_at` is the due time, if the step sets one. Approvals may expire. An automatic step
    is recorded as an act of the system, even if an account triggered it.
    """
    was = case.state
    kernel_lifecycle.apply_step(case, step)
    suspended = case.state == State.SUSPENDED
    case.suspended_while_referring = suspended and was == State.REFERRING
    case.raise_version()
    case.show_end_to_completed_parts()
    start_deadline(tx, case, due_at)
    moved = case.state != was and State.SUSPENDED not in {was, case.state}
    expire_approvals(tx, case, moved=moved)
    facts = {"state": case.state, **(facts or {})}
    by_system = step.sides == {Side.SYSTEM}
    audience = audience_before | case.audience
    tx.record(EVENTS[step.action], case, audience, facts, by_system=by_system)


def expire_approvals(
    tx: WriteTransaction, case: Case, about: Recorded | None = None, *, moved: bool = False
) -> None:
    """Expire those approvals of a case that must no longer be used (R14).

    If `about` is given, all approvals about that record expire, and no others. Otherwise,
    all approvals of the case expire, except those that overseers requested and, while the
    case is open, those that the escalation desk or the holder requested. If `moved` is true
    (the state of the case has changed), those that the holder requested expire too.
    """
    holder = None if moved else case.holder
    asking = (holder, case.with_relation(Relation.ESCALATION_DESK))
    spared = case.overseers | {one for one in asking if one and case.state in OPEN}
    subject = about.reference if about else None
    ended = access_approvals.expire_approvals(
        tx, case.id, subject=subject, except_offices=spared
    )
    deadline_actions.stop_all(tx, ended)


def start_deadline(tx: WriteTransaction, case: Case, until: datetime | None = None) -> None:
    """Restart the deadline for the state of a case, or stop it if the state has none."""
    if case.state not in OPEN:
        deadline_actions.stop_kinds(tx, case.id, *OTHER_KINDS)
    if case.state not in CLOCKS:
        deadline_actions.stop(tx, case.id)
        return
    kind, side = CLOCKS[case.state]
    if kind == DeadlineKind.MONITOR and not case.visits:
        kind = DeadlineKind.REVIEW_CLOSURE
    waits_on = {Side.SUBMITTER: case.submitter, Side.HOLDER: case.holder}.get(side)
    until = until or get_due_at(tx, case, kind, waits_on)
    deadline_actions.restart(tx, case, kind, until, waits_on=waits_on)
    if case.is_child:
        interests = case_queries.load_facts(tx, [case.id]).get(case.id, [])
        deadline_actions.hand_over(tx, [fact.id for fact in interests], case.holder)


_K = DeadlineKind
OTHER_KINDS: Final = (_K.ASSESS_INTERESTS, _K.CONSENT_ENDS, _K.ANSWER)
"""The kinds of deadlines of facts, consents and questions, which stop when a case ends."""


def get_due_at(
    tx: WriteTransaction, case: Case, kind: DeadlineKind, waits_on: UUID | None
) -> datetime:
    """Return the time at which a deadline of this kind is due.

    The risk review is due when the last assessment expires (D12), or earlier in a drill.
    """
    if kind == DeadlineKind.REVIEW_RISK:
        tx.session.flush()
        risk = case_queries.load_latest_risks(tx, [case.id]).get(case.id)
        if risk is not None:
            return risk.assessed_at + HOLDS_FOR[risk.level] / tx.runtime.speed
    if kind == DeadlineKind.MONITOR:
        return datetime.fromisoformat(case.visits[0])
    return deadline_queries.compute_due_at(tx, kind, case, waits_on=waits_on)


class NoteText(BaseModel):
    """The free text of a note or a message."""

    text: str


def add_note(tx: WriteTransaction, record: Recorded, about: str, text: str | None) -> None:
    """Seal `text` as a note with the subject `about`; do nothing if it is empty or None."""
    if text:
        store_sealed(tx, record, Paper.NOTE, NoteText(text=text), about=about)


def add_message(
    tx: WriteTransaction, record: Recorded, about: str, text: str | None
) -> None:
    """Seal `text` as a message to the other office; do nothing if it is empty or None."""
    if text:
        store_sealed(tx, record, Paper.MESSAGE, NoteText(text=text), about=about)


def add_oversight(tx: WriteTransaction, case: Case, oversight: list[UUID]) -> None:
    """Add oversight offices, which cannot open sealed documents, to the parties."""
    for focal_point in oversight:
        case.add_party(focal_point, Relation.OVERSIGHT, tx.now)


def add_fact(tx: WriteTransaction, case: Case, fact: Fact, text: str | None = None) -> Fact:
    """Add a fact, and move or stop the deadline of the facts that the new fact replaces.

    The deadline moves to the new fact if an assessment is still due; otherwise, it stops.
    Raises AssessmentRequired (409) if a child would remain without an assessment.
    """
    require_assessment(fact, child=case.is_child)
    known = case_queries.load_facts(tx, [case.id]).get(case.id, [])
    before = [one.id for one in known if one.name == fact.name]
    tx.session.add(fact)
    tx.session.flush()
    if fact.value == BestInterests.ASSESSMENT_DUE:
        deadline_actions.move_to_record(tx, before, fact.id)
    else:
        deadline_actions.stop_all(tx, before)
    add_note(tx, case, fact.name, text)
    return fact


def declare_vital_interest(
    tx: WriteTransaction, case: Case, new: VitalInterestInput
) -> VitalInterest:
    """Record that a vital interest was declared, and publish the event."""
    declared = VitalInterest(
        id=tx.create_id(),
        case_id=case.id,
        reason=new.reason,
        declared_by=tx.actor.focal_point_id,
        account_id=tx.actor.account_id,
        declared_at=tx.now,
        holds_until=tx.now + VITAL_HOLDS_FOR,
    )
    tx.session.add(declared)
    tx.session.flush()
    add_note(tx, case, "vital_interest", new.note)
    facts = {"reason": new.reason}
    audience = case.write_audience | case.overseers
    tx.record("case.vital_interest_declared", case, audience, facts)
    return declared
