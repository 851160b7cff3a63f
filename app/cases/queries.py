"""Queries for cases, and for their facts, risk assessments and sealed documents.

A function that returns a case by its code or id checks that the caller sees or saw it.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, select
from sqlalchemy.orm import Session, aliased

from app.cases import statements
from app.cases.case_loading import group_by_case, mark_locked, require_all_loaded
from app.cases.filters import is_in_state, is_own_party, matches_summary
from app.cases.grants import Grant, list_relations
from app.cases.lifecycle import State
from app.cases.models import Case, CaseKey, Party, Sealed
from app.cases.records import Fact, RiskAssessment, SummarySnapshot, VitalInterest
from app.cases.risk import GRAVITY
from app.cases.sections import Sealable, get_kind
from app.cases.statements import SEES_CASE
from app.cases.stored_fields import rename_fields
from app.deadlines.limits import Priority
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.recall import load_once
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.vault import Place, WrappedKey


def get_seen_or_led(tx: ReadTransaction, code: str) -> Case:
    """Return a case that the caller sees or has led, or raise NotFound (404)."""
    return get_one(tx, statements.LED_BY_CODE, code=code)


def get(tx: ReadTransaction, code: str) -> Case:
    """Return the case with a code if the caller sees it, or raise NotFound (404)."""
    return get_one(tx, statements.BY_CODE, code=code)


def lock(tx: WriteTransaction, code: str) -> Case:
    """Lock and return a case that the caller sees, or raise NotFound (404).

    Visibility is checked again after the lock is acquired, because the caller may have
    ceased to be a party in the meantime.
    """
    case = get_one(tx, statements.HELD_BY_CODE, code=code)
    mark_locked(tx.session, case.id)
    if not case.is_open_to(tx.actor.focal_point_id):
        raise NotFound("There is no such case.")
    return case


def lock_by_id(tx: WriteTransaction, case_id: UUID) -> Case:
    """Lock and return a case that the caller can or could see, or raise NotFound (404).

    A former lead finds the case too, because it can still see an old handover. A later
    check then reports that the handover was already decided.
    """
    case = get_one(tx, statements.HELD_BY_ID, id=case_id)
    mark_locked(tx.session, case.id)
    return case


def list_unfinished(session: Session, others: Iterable[UUID]) -> Sequence[Case]:
    """List unfinished cases and the cases in `others`, oldest first, for an operator."""
    goes_on = Case.state.not_in({State.CLOSED, State.VOID, State.ERASED})
    every = select(Case).where(goes_on | Case.id.in_(make_list_parameter("others")))
    named = {"others": list(others)}
    return session.scalars(every.order_by(Case.number), named).all()


def get_codes(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the codes of cases by id, for an operator."""
    rows = select(Case.id, Case.code).where(Case.id.in_(list(ids)))
    return dict(session.execute(rows).all())


@load_once(SummarySnapshot)
def load_snapshots(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> Mapping[UUID, SummarySnapshot]:
    """Return the summaries that were stored for submitters, by case id.

    Raises NotAuthentic if one was deleted outside the service. Without this check, the
    submitter would read the current summary (R12).
    """
    cases = list(case_ids)
    rows = tx.session.scalars(statements.SUMMARY_SNAPSHOTS, {"cases": cases}).all()
    require_all_loaded(tx.session, cases, SummarySnapshot.list_labels())
    return {kept.case_id: kept for kept in rows}


def load_again(tx: ReadTransaction, case_id: UUID) -> None:
    """Reload a case and its parties from the database."""
    tx.session.scalars(statements.BY_ID_AGAIN, {"id": case_id}).all()


def get_by_id(tx: ReadTransaction, case_id: UUID) -> Case:
    """Return the case with this id if the caller may see it, or raise NotFound (404)."""
    return get_one(tx, statements.BY_ID, id=case_id)


def list_seen(
    tx: ReadTransaction, statement: Select[Case], **named: object
) -> Sequence[Case]:
    """List the cases that a statement finds for the caller."""
    own_office = tx.actor.focal_point_id
    return tx.session.scalars(statement, {"me": own_office, **named}).all()


def get_continuing_codes(tx: ReadTransaction, cases: Iterable[Case]) -> dict[UUID, str]:
    """Return the codes, by case id, of the visible cases that `continues_in` names."""
    wanted = [case.continues_in for case in cases if case.continues_in]
    found = list_seen(tx, statements.BY_IDS, cases=wanted) if wanted else []
    return {case.id: case.code for case in found}


def get_one(tx: ReadTransaction, statement: Select[Case], **named: object) -> Case:
    """Return the case that a statement finds, or raise NotFound (404)."""
    own_office = tx.actor.focal_point_id
    found = tx.session.scalar(statement, {"me": own_office, **named})
    if found is None:
        raise NotFound("There is no such case.")
    return found


def list_own(
    tx: ReadTransaction,
    relations: Iterable[Relation],
    states: Iterable[State],
    priority: Priority | None,
    country: str | None,
) -> Select[Case, int]:
    """Select the cases of the caller's office that match the filters, with a sort number.

    The sort number is that of the office's first current party row with a wanted relation.
    One index finds these rows, and a case to which the office has two relations is listed
    only once. An empty `relations`, and any other filter that is None, match every case.
    """
    earlier = aliased(Party)
    open_row = and_(*is_own_party(tx), SEES_CASE)
    first = ~exists().where(
        earlier.case_id == Party.case_id,
        earlier.focal_point_id == Party.focal_point_id,
        earlier.until.is_(None),
        earlier.relation.in_(list_relations(Grant.CASE)),
        earlier.number < Party.number,
        *(_matches_any(earlier.relation, relations)),
    )
    return (
        select(Case, Party.number)
        .join(Party, Party.case_id == Case.id)
        .where(open_row, first, *_matches_any(Party.relation, relations))
        .where(*([is_in_state(tx, states)] if set(states) < set(State) else []))
        .where(*([matches_summary(tx, "priority", priority)] if priority else []))
        .where(*([matches_summary(tx, "country", country)] if country else []))
    )


def _matches_any(column: object, values: Iterable[object]) -> list[ColumnElement[bool]]:
    wanted = list(values)
    return [column.in_(wanted)] if wanted else []  # type: ignore[attr-defined]


def get_data_key(tx: ReadTransaction, case_id: UUID, *, anew: bool = False) -> WrappedKey:
    """Return the data key of a case, or raise NotFound (404) if it was destroyed.

    If `anew` is set, the key is read from the database even if it is already loaded.
    """
    key = tx.session.get(CaseKey, case_id, populate_existing=anew)
    if key is None:
        raise NotFound("The sealed content of this case was erased.")
    tx.kept_alive.add(key)
    return key.as_wrapped()


def find_data_keys(tx: ReadTransaction, ids: Iterable[UUID]) -> dict[UUID, WrappedKey]:
    """Return the data keys of cases by case id, without keys that were destroyed."""
    wanted = CaseKey.case_id.in_(make_list_parameter("cases"))
    found = tx.session.scalars(select(CaseKey).where(wanted), {"cases": list(ids)})
    return {key.case_id: key.as_wrapped() for key in found}


def find_sealed(tx: ReadTransaction, record_id: UUID, kind: Sealable) -> Sealed | None:
    """Return the sealed document of one kind that belongs to a record, or None."""
    return tx.session.scalar(statements.SEALED_OF_KIND, {"record": record_id, "kind": kind})


def list_sealed(tx: ReadTransaction, record_id: UUID, *kinds: Sealable) -> list[Sealed]:
    """List a record's sealed documents of the given kinds, oldest first."""
    named = (Sealed.record_id == record_id) & Sealed.kind.in_(kinds)
    rows = select(Sealed).where(named).order_by(Sealed.written_at, Sealed.id)
    return list(tx.session.scalars(rows))


def build_place(document: Sealed) -> Place:
    """Return the identifiers to which the encryption binds a sealed document."""
    table = Sealed.__tablename__
    section = f"{document.kind}:{document.record_id}"
    return Place(table, document.id, document.case_id, section, document.key_version)


def open_sealed(
    tx: ReadTransaction, document: Sealed, data_key: WrappedKey | None = None
) -> bytes:
    """Decrypt a sealed document. `data_key` is the key of its case, if it is loaded.

    The calling function must have recorded the access, or use the content only in a rule.
    """
    key = data_key or get_data_key(tx, document.case_id)
    own_key = document.key.wrapped if document.key else None
    content = tx.vault.open(key, build_place(document), document.sealed, own_key)
    return rename_fields(get_kind(document.kind), content)


@load_once(Sealed)
def list_written_sections(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> Mapping[UUID, list[tuple[str, UUID]]]:
    """Return, by case id, the kind and the author of each document of the case itself."""
    present: dict[UUID, list[tuple[str, UUID]]] = {}
    cases = {"cases": list(case_ids)}
    for case_id, kind, author in tx.read_columns(statements.WRITTEN_SECTIONS, cases):
        present.setdefault(case_id, []).append((kind, author))
    return present


def find_code_by_digests(tx: ReadTransaction, digests: Sequence[str]) -> str | None:
    """Return the code of the case with one of these external digests, or None."""
    return tx.session.scalar(select(Case.code).where(Case.external_digest.in_(digests)))


@load_once(RiskAssessment)
def load_latest_risks(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> Mapping[UUID, RiskAssessment]:
    """Return the latest risk assessment of each case, by case id.

    If two have the same time, the one with the higher level is returned. Raises
    NotAuthentic if an assessment was deleted outside the service.
    """
    cases = list(case_ids)
    found = tx.session.scalars(statements.RISKS, {"cases": cases}).all()
    require_all_loaded(tx.session, cases, RiskAssessment.list_labels())
    return find_latest_risks(found)


def find_latest_risks(rows: Iterable[RiskAssessment]) -> Mapping[UUID, RiskAssessment]:
    """Return the latest of the risk assessments of each case, by case id."""
    rising = sorted(rows, key=lambda risk: (risk.assessed_at, GRAVITY.index(risk.level)))
    return {risk.case_id: risk for risk in rising}


@load_once(Fact)
def load_facts(tx: ReadTransaction, case_ids: Iterable[UUID]) -> Mapping[UUID, list[Fact]]:
    """Return the recorded facts of cases by case id, oldest first.

    Raises NotAuthentic if a fact was deleted outside the service.
    """
    cases = list(case_ids)
    found = tx.session.scalars(statements.FACTS, {"cases": cases}).all()
    require_all_loaded(tx.session, cases, Fact.list_labels())
    return group_by_case(found)


def get_fact(tx: ReadTransaction, case_id: UUID, fact_id: UUID) -> Fact:
    """Return one fact of a case, or raise NotFound (404)."""
    mine = (Fact.case_id == case_id) & (Fact.id == fact_id)
    return require_found(tx.session.scalar(select(Fact).where(mine)), "fact")


@load_once(VitalInterest)
def find_in_vital_interest(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> frozenset[UUID]:
    """Return the ids of the cases whose declaration of vital interest is valid now."""
    named = {"cases": list(case_ids), "now": tx.now}
    found = tx.session.scalars(statements.IN_VITAL_INTEREST, named)
    return frozenset(declared.case_id for declared in found)


def get_vital_interest(tx: ReadTransaction, case_id: UUID, declared: UUID) -> VitalInterest:
    """Return one declaration of a vital interest in a case, or raise NotFound (404)."""
    mine = (VitalInterest.case_id == case_id) & (VitalInterest.id == declared)
    return require_found(
        tx.session.scalar(select(VitalInterest).where(mine)), "declaration"
    )


def require_found[R](record: R | None, what: str) -> R:
    """Return the record, or raise NotFound (404) if it is None."""
    if record is None:
        raise NotFound(f"There is no such {what} in this case.")
    return record
