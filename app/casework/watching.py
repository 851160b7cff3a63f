"""What must be found out for a child, and by when (BR09, BR14)."""

from app.cases import actions as cases
from app.cases import queries
from app.cases.facts import BestInterests, FactName
from app.cases.lifecycle import OPEN
from app.cases.models import Case
from app.cases.records import Fact
from app.consents import standing
from app.deadlines import actions as deadlines
from app.deadlines.limits import ClockKind, due
from app.deadlines.queries import running
from app.kernel.work import Writing


def watch_interests(work: Writing, case: Case) -> None:
    """Let the assessment of a child's best interests be due in 72 hours, while it is.

    It is due while neither a guardian consented, with the child's assent, nor anybody
    assessed. No step of the lead waits for it: this is a clock, not a need.
    """
    stands = standing.of_case(work, case)
    known = queries.facts(work, [case.id]).get(case.id, [])
    interests = [fact for fact in known if fact.name == FactName.BEST_INTERESTS]
    unknown = stands.facts.best_interests == BestInterests.ASSESSMENT_DUE
    if not (case.is_child and unknown) or stands.may_be_referred() or not is_open(case):
        for fact in interests:
            deadlines.stop(work, fact.id)
        return
    fact = interests[-1] if interests else note_due(work, case)
    if fact.id not in running(work, [fact.id]):
        kind = ClockKind.ASSESS_INTERESTS
        until = due(kind, case.priority, work.now)
        deadlines.restart(work, fact, kind, until, waits_on=case.holder)


def is_open(case: Case) -> bool:
    """Say whether anybody works on the case."""
    return case.state in OPEN


def note_due(work: Writing, case: Case) -> Fact:
    """Record, as the system, that nobody assessed the child's best interests yet."""
    fact = Fact(
        id=work.new_id(),
        case=case,
        case_id=case.id,
        name=FactName.BEST_INTERESTS,
        value=BestInterests.ASSESSMENT_DUE,
        recorded_at=work.now,
    )
    return cases.know(work, case, fact)
