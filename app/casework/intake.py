"""How a case begins: written, mended, submitted, and carried to who should lead."""

from typing import Final
from uuid import UUID

from app.cases import actions as cases
from app.cases import queries
from app.cases.actions import mend_notice, note, open_draft, seal
from app.cases.lifecycle import LED, OPEN, TABLE, WITH_A_CANDIDATE, Action, Row, State
from app.cases.models import Case
from app.cases.schemas import NewRisk, NoticeFields
from app.cases.sections import Paper
from app.casework import situation
from app.casework.needs import Terms
from app.casework.schemas import NewCase, WithdrawCase
from app.consents import actions as consents
from app.consents import standing
from app.consents.coverage import Purpose
from app.directory import queries as directory
from app.directory.kinds import Kind, StateRouting
from app.directory.models import FocalPoint
from app.kernel.actors import Relation, Role, Side, sides_of_case
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.problems import Problem
from app.kernel.versions import Seen
from app.kernel.work import Reading, Writing
from app.referrals import actions as referrals
from app.routing import actions as routing
from app.routing import queries as shortlists
from app.routing.ranking import Profile, Question, rank

WRITERS: Final = frozenset({Role.OFFICER, Role.CASEWORKER})
ASSESSORS: Final = frozenset({Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR})


class ExternalReferenceTaken(Problem):
    """A case was already written under this external reference."""

    status = 409


class CountryFixed(Problem):
    """The country of a case that was submitted changes by relocating it."""

    status = 409


class NoticeIncomplete(Problem):
    """The notice of a case that was submitted keeps all its answers."""

    status = 422


class DeskMissing(Problem):
    """No desk is configured that could take this case."""

    status = 503


def write(work: Writing, new: NewCase) -> Case:
    """Write a case as a draft, and submit it in the same transaction if asked to.

    Raises RoleMissing (403), NotFound (404), ExternalReferenceTaken or NeedsUnmet (409),
    ConsentOver (422), DeskMissing (503).
    """
    if not WRITERS & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(WRITERS))}.")
    digest = external_digest(work, new.external_reference)
    case = open_draft(work, new.notice)
    case.external_digest = digest
    for content in new.sections:
        seal(work, case, content.section, content)
    if new.safeguards:
        seal(work, case, Paper.SAFEGUARDS, new.safeguards)
    for consent in new.consents:
        consents.record(work, case, consent)
    if new.risk:
        cases.assess(work, case, new.risk)
    cases.wind(work, case)
    work.record("case.drafted", case, case.audience)
    work.session.flush()
    return submit(work, *judged(work, case, Action.SUBMIT)) if new.submit else case


def external_digest(work: Writing, reference: str | None) -> str | None:
    """Fingerprint the submitter's own number; raises ExternalReferenceTaken (409)."""
    if reference is None:
        return None
    digest = work.vault.fingerprint(
        b"external", work.actor.focal_point_id.bytes, reference.encode()
    )
    if code := queries.with_external(work, digest):
        raise ExternalReferenceTaken("Go on with the case that exists.", {"code": code})
    return digest


def ready(
    work: Writing, code: str, action: Action, seen: Seen, terms: Terms | None = None
) -> tuple[Case, Row]:
    """Hold a case and find its step, or say why not.

    In this order, so that each answer tells a caller no more than they may know: not
    visible (404), stale (412, 428), not in this state (409), not yours (403), needs unmet
    (409).
    """
    case = queries.lock(work, code)
    seen.must_include(case.version)
    return judged(work, case, action, terms)


def judged(
    work: Writing, case: Case, action: Action, terms: Terms | None = None
) -> tuple[Case, Row]:
    """Find the step of a case that is held, and see that all it needs is there."""
    row = TABLE.find(case.state, action, sides_of(work, case), work.actor.roles)
    situation.judge(work, case, row, terms)
    return case, row


def sides_of(work: Reading, case: Case) -> frozenset[Side]:
    """Say on which sides of a case the caller stands."""
    return sides_of_case(case.relations_of(work.actor.focal_point_id))


def submit(work: Writing, case: Case, row: Row) -> Case:
    """Carry a case to the first who should lead it, else to the desk."""
    before = case.audience
    cases.admit_oversight(work, case, oversight(work))
    hand_to_next(work, case)
    cases.take(work, case, row, before=before)
    return case


def oversight(work: Reading) -> list[UUID]:
    """Find the bodies that oversee every case; they see nothing sealed."""
    return [f.id for f in directory.active(work) if f.kind == Kind.OVERSIGHT]


def hand_to_next(work: Writing, case: Case) -> None:
    """Make the next of the shortlist candidate; used up, the desk (routing rule 8).

    Ranked anew each time: what the person fears or allows may have changed meanwhile. A
    case is never without an owner.
    """
    routing.keep(work, case.id, rank(question_of(work, case)))
    candidate = routing.ask_next(work, case.id)
    if candidate:
        case.admit(candidate, Relation.CANDIDATE, work.now)
    else:
        case.admit(desk(work, case).id, Relation.DESK, work.now)


def desk(work: Reading, case: Case) -> FocalPoint:
    """Find the desk of the country, else of the submitter's, else any; or DeskMissing."""
    submitter = directory.by_id(work, case.submitter)
    found = directory.desk_for(work, case.country or "", submitter.of_state)
    found = found or next(iter(directory.active_desks(work.session)), None)
    if found is None:
        raise DeskMissing("The operator has to configure a desk for every region.")
    return found


def question_of(work: Reading, case: Case) -> Question:
    """Put the question of routing as values."""
    stands = standing.of_case(work, case)
    country = directory.country(work, case.country or "")
    asked = shortlists.shortlist(work, case.id)
    return Question(
        country=case.country or "",
        state_routing=country.state_routing if country else StateRouting.AVOID,
        language=case.language or "",
        services=frozenset([*case.services, *case.urgent_needs]),
        origin=stands.safeguards.country_of_origin,
        origin_blocked=stands.safeguards.origin_blocked(),
        unsafe=frozenset(stands.safeguards.unsafe_focal_points),
        declined=frozenset(row.focal_point_id for row in asked if row.asked_at),
        profiles=tuple(
            profile_of(f, consented=stands.told(f, Purpose.REFER) is not None)
            for f in directory.active(work)
            if f.kind not in {Kind.DESK, Kind.OVERSIGHT}
        ),
    )


def profile_of(focal_point: FocalPoint, *, consented: bool) -> Profile:
    """Describe a focal point as routing asks for it."""
    return Profile(
        id=focal_point.id,
        code=focal_point.code,
        kind=focal_point.kind,
        function=focal_point.function,
        of_state=focal_point.of_state,
        serves=focal_point.serves,
        languages=tuple(focal_point.languages),
        services=frozenset(focal_point.services),
        can_lead=focal_point.can_lead,
        consented=consented,
    )


def must_write(work: Reading, case: Case) -> None:
    """Raise unless the case is the caller's to write now: submitter's, then the lead's."""
    if case.state == State.DRAFT or case.state in WITH_A_CANDIDATE:
        owner, roles = Side.SUBMITTER, WRITERS
    elif case.state in LED:
        owner, roles = Side.LEAD, ASSESSORS
    else:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    if owner not in sides_of(work, case):
        raise ActionNotYours(f"Now this is for the {owner} to write.")
    if not roles & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(roles))}.")


def mend(work: Writing, code: str, seen: Seen, notice: NoticeFields) -> Case:
    """Change fields of the notice; raises what `must_write` does, and CountryFixed."""
    case = queries.lock(work, code)
    seen.must_include(case.version)
    must_write(work, case)
    country = notice.country if "country" in notice.model_fields_set else case.country
    must_stay_complete(case, notice)
    if case.state != State.DRAFT and country != case.country:
        raise CountryFixed("Ask the holder: the case has to be carried to another lead.")
    if changed := mend_notice(case, notice):
        case.touch()
        if "priority" in changed:
            cases.wind(work, case)
        work.record("case.notice_changed", case, case.audience, {"fields": changed})
    return case


def must_stay_complete(case: Case, notice: NoticeFields) -> None:
    """Raise NoticeIncomplete (422) if a notice that was submitted would lose an answer."""
    given = notice.model_dump(exclude_unset=True)
    emptied = [name for name in situation.ASKED_OF_ALL if given.get(name, "") is None]
    if case.state != State.DRAFT and emptied:
        raise NoticeIncomplete(f"Give another answer, not none: {', '.join(emptied)}.")


def withdraw(work: Writing, case: Case, row: Row, why: WithdrawCase) -> Case:
    """Take a case back before anything was sent; whoever had it loses it at once."""
    before = case.audience
    note(work, case, row.action, why.note)
    referrals.end_drafts(work, case, why.reason)
    for relation in (Relation.CANDIDATE, Relation.DESK):
        case.dismiss(relation, work.now)
    cases.take(work, case, row, {"reason": why.reason}, before=before)
    return case


def assess(work: Writing, code: str, risk: NewRisk) -> Case:
    """Add an assessment of the risk, by any party.

    Raises NotFound (404), ActionIllegal (409), RoleMissing (403).
    """
    case = queries.lock(work, code)
    if case.state not in OPEN | {State.DRAFT}:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    if not ASSESSORS & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(ASSESSORS))}.")
    cases.assess(work, case, risk)
    case.touch()
    work.record("case.risk_assessed", case, case.keepers, {"level": risk.level})
    return case
