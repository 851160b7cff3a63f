"""The checks of the torture test accept a correct history, and find each kind of fault."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.torture.checks import CHECKS, find_faults
from tests.torture.finished_run import Run
from tests.torture.history import Operation, Outcome
from tests.torture.tables import Kept, Line, MissedDeadline, Record, Tables
from tests.torture.walks import can_reach

CASE, OTHER = "cases/SC-7K3F-9QXM-4T2B-3", "cases/SC-DXHX-MM9G-XMQH-S"
OFFICER, LEAD = "officer", "lead"
NEW, TAKEN, LATE = "case.submitted", "case.acknowledged", "case.not_decided"
WRITTEN = "case.section_written"


def build_deed(
    who: str, what: str, at: float, version: int | None, **more: object
) -> Operation:
    """Return an operation that is sent at the time `at` and answered a second later."""
    known: dict[str, object] = {"subject": CASE, "key": f"{what} {at}", "status": 200}
    made = Operation(
        who, "", what, invoked=at, answered=at + 1, outcome=Outcome.OK, tries=1
    )
    return replace(made, version=version, **known | more)  # type: ignore[arg-type]


def build_line(who: str | None, what: str, **more: str) -> Line:
    return Line(id=f"{what} entry", type=what, subject=CASE, case="c", account=who, **more)


DEEDS = (
    build_deed(OFFICER, "case.drafted", 1, 2, more_events=(NEW,), status=201),
    build_deed(OFFICER, WRITTEN, 3, 3, base_version=2, text="A bed"),
    build_deed(LEAD, TAKEN, 5, 4, base_version=3),
    build_deed(OFFICER, "read", 7, 4),
)
LINES = (
    build_line(OFFICER, "case.drafted"),
    build_line(OFFICER, NEW, state="submitted"),
    build_line(OFFICER, WRITTEN),
    build_line(LEAD, TAKEN, state="under_review"),
    build_line(None, LATE, clock="decide_lead"),
    build_line(None, "case.rerouted", state="submitted"),
)
MAIL = tuple((place, one.id) for place, one in enumerate(LINES, start=1))
KEPT = tuple(Kept(one.account, one.key, "c", one.status) for one in DEEDS[:3])
TABLES = Tables(
    records={CASE: Record("c", "submitted", 5)},
    lines=LINES,
    mail={"UZ": MAIL, "KZ": MAIL[1:2]},
    heads={"UZ": 6, "KZ": 2, "GT": 0},
    kept=KEPT,
    fired=[MissedDeadline(1, 0, "c", LATE)],
)
HEARD = [one.id for one in LINES]


def build_sound_run() -> Run:
    """Return the correct history of a case that is submitted, edited and acknowledged."""
    tables = replace(TABLES, mail={"UZ": MAIL, "KZ": ((1, MAIL[3][1]),)})
    tables = replace(tables, heads={"UZ": 6, "KZ": 1, "GT": 0})
    return Run(DEEDS, tables, [("UZ", HEARD)], {CASE: "A bed"}, {})


def replace_tables(**changed: object) -> Run:
    run = build_sound_run()
    return replace(run, tables=replace(run.tables, **changed))  # type: ignore[arg-type]


def replace_deed(place: int, **changed: object) -> Run:
    """Return the correct history with one operation changed."""
    deeds = list(DEEDS)
    deeds[place] = replace(deeds[place], **changed)  # type: ignore[arg-type]
    return replace(build_sound_run(), deeds=deeds)


def build_mail(*places: int) -> dict[str, tuple[tuple[int, str], ...]]:
    """Return the feeds of two offices. `places` are the positions in the first feed."""
    ids = [entry for _, entry in MAIL]
    mail = tuple(zip(places, ids, strict=False))
    return {"UZ": mail, "KZ": ((1, MAIL[3][1]),)}


def swap_entries(one: int, other: int) -> Run:
    """Return a run in which two events of a feed are swapped, as stored and as read."""
    ids = [entry for _, entry in MAIL]
    ids[one], ids[other] = ids[other], ids[one]
    mail = {"UZ": tuple(enumerate(ids, start=1)), "KZ": ((1, MAIL[3][1]),)}
    return replace(replace_tables(mail=mail), inboxes=[("UZ", ids)])


def build_concurrent_deeds() -> list[Operation]:
    """Return operations, two of them concurrent, whose order only the versions show."""
    together = [replace(one, invoked=3, answered=6) for one in DEEDS[1:3]]
    return [DEEDS[0], *together, DEEDS[3]]


def add_second_case() -> Run:
    """Return a history in which one idempotency key created two cases."""
    records = {CASE: TABLES.records[CASE], OTHER: Record("d", "submitted", 2)}
    more = [replace(one, id=f"{one.id} 2", subject=OTHER, case="d") for one in LINES[:2]]
    return replace_tables(records=records, lines=[*LINES, *more])


def add_duplicate_entry() -> Run:
    """Return a history in which the journal contains one operation twice."""
    return replace_tables(lines=[*LINES, replace(LINES[2], id="again")])


PLANTED: dict[str, tuple[Callable[[], Run], str]] = {
    "an acknowledged case is not there": (
        lambda: replace_tables(records={}, lines=[], kept=[], fired=[], mail={}, heads={}),
        "lost: cases/SC-7K3F-9QXM-4T2B-3 is not stored",
    ),
    "an acknowledged act has no entry": (
        lambda: replace_tables(lines=[one for one in LINES if one.type != WRITTEN]),
        "lost: case.section_written",
    ),
    "one key made two cases": (add_second_case, "doubled: case.drafted of cases/SC-DXHX"),
    "an act was done twice": (add_duplicate_entry, "doubled: case.section_written"),
    "a record that nobody made": (
        lambda: replace_tables(records={**TABLES.records, OTHER: Record("d", "draft", 1)}),
        "entry missing: ",
    ),
    "what was refused was done": (
        lambda: replace_deed(2, outcome=Outcome.REFUSED, status=412, version=None),
        "refused and done: case.acknowledged",
    ),
    "a key was forgotten": (lambda: replace_tables(kept=KEPT[1:]), "key not stored: "),
    "an outcome without its record": (
        lambda: replace_tables(kept=[*KEPT, Kept(LEAD, "k", "gone", 201)]),
        "record missing: ",
    ),
    "nobody ever answered": (
        lambda: replace_deed(3, outcome=Outcome.UNKNOWN, version=None),
        "never answered: read",
    ),
    "the record is older than an answer": (
        lambda: replace_tables(records={CASE: Record("c", "submitted", 3)}),
        "went back: cases/SC-7K3F-9QXM-4T2B-3 is at 3, not 4",
    ),
    "a reading is older than an answer before it": (
        lambda: replace_deed(3, version=3),
        "went back: read of",
    ),
    "an act took an earlier one back": (
        lambda: replace_deed(2, version=3, base_version=2),
        "lost update: version 3",
    ),
    "an act gave the version that it rests on": (
        lambda: replace_deed(2, version=3, base_version=3),
        "is based on 3, returned 3",
    ),
    "a gap in a feed": (
        lambda: replace_tables(mail=build_mail(1, 2, 4, 5, 6, 7)),
        "gap: the mailbox of UZ",
    ),
    "the head of a feed is ahead of it": (
        lambda: replace_tables(heads={"UZ": 7, "KZ": 1}),
        "gap: the mailbox of UZ has 6 entries to 7",
    ),
    "an entry twice in a feed": (
        lambda: replace_tables(mail={"UZ": (*MAIL, (7, MAIL[0][1]))}, heads={"UZ": 7}),
        "is 2 times in the mailbox of UZ",
    ),
    "a feed in another order than life": (lambda: swap_entries(2, 3), "reordered: 4 of UZ"),
    "a feed in another order than the record": (
        lambda: replace(swap_entries(2, 3), deeds=build_concurrent_deeds()),
        "reordered: 4 of UZ is of an earlier version",
    ),
    "a poller missed something": (
        lambda: replace(build_sound_run(), inboxes=[("UZ", HEARD[:4])]),
        "missed 2 of 6 events",
    ),
    "a poller did something twice": (
        lambda: replace(build_sound_run(), inboxes=[("UZ", [*HEARD, HEARD[0]])]),
        "processed 1 events more than once",
    ),
    "a poller did things in another order": (
        lambda: replace(build_sound_run(), inboxes=[("UZ", HEARD[::-1])]),
        "in another order",
    ),
    "a clock that fired twice": (
        lambda: replace_tables(fired=[*TABLES.fired, *TABLES.fired]),
        "fired 2 times: clock 1",
    ),
    "an effect without its entry": (
        lambda: replace_tables(lines=[one for one in LINES if not one.clock]),
        "an effect without its entry: case.not_decided",
    ),
    "an entry without its effect": (
        lambda: replace_tables(fired=[]),
        "an entry without its effect: case.not_decided",
    ),
    "a state that no entry leads to": (
        lambda: replace_tables(records={CASE: Record("c", "closed", 5)}),
        "is closed, which its entries do not lead to",
    ),
    "a text that was overwritten by an older one": (
        lambda: replace(build_sound_run(), texts={CASE: "A safe bed tonight"}),
        "has 'A safe bed tonight', not 'A bed'",
    ),
    "the database finds itself broken": (
        lambda: replace_tables(broken=["row 7 missing from index"]),
        "row 7 missing",
    ),
    "the service owned up to a fault": (
        lambda: replace(build_sound_run(), trouble={"500 to POST case.closed": 2}),
        "answered 500 to POST case.closed, 2 times",
    ),
}


def test_of_a_sound_history_nothing_is_found() -> None:
    assert find_faults(build_sound_run()) == []


@pytest.mark.parametrize("fault", PLANTED)
def test_a_fault_is_found_and_told(fault: str) -> None:
    plant, told = PLANTED[fault]

    found = find_faults(plant())

    assert any(told in one for one in found), found


def test_each_check_finds_something_planted() -> None:
    idle = [
        check.__name__
        for check in CHECKS
        if not any(list(check(plant())) for plant, _ in PLANTED.values())
    ]

    assert idle == []


def test_an_answer_that_is_told_again_may_show_what_came_later() -> None:
    """A replayed response may show a later version of the record."""
    assert find_faults(replace_deed(1, answered=6.5, version=4, replayed=True)) == []


def test_acts_at_the_same_time_may_come_in_any_order() -> None:
    written = replace(DEEDS[1], invoked=4.5, answered=6.5, version=4, base_version=3)
    taken = replace(DEEDS[2], version=3, base_version=2)
    beside = replace(build_sound_run(), deeds=[DEEDS[0], written, taken, DEEDS[3]])
    ids = [MAIL[place][1] for place in (0, 1, 3, 2, 4, 5)]
    mail = {"UZ": tuple(enumerate(ids, start=1)), "KZ": ((1, MAIL[3][1]),)}
    tables = replace(build_sound_run().tables, mail=mail)

    assert find_faults(replace(beside, tables=tables, inboxes=[("UZ", ids)])) == []


@pytest.mark.parametrize(
    ("events", "end", "leads"),
    [
        ([], "draft", True),
        ([], "submitted", False),
        (["case.acknowledged", "case.submitted"], "under_review", True),
        (["case.acknowledged"], "under_review", False),
        (["case.submitted", "case.withdrawn"], "void", True),
        (["case.submitted", "case.withdrawn"], "submitted", False),
        (["case.submitted", "case.section_written"], "submitted", True),
    ],
)
def test_entries_lead_to_a_state_by_the_table(
    events: list[str], end: str, leads: bool
) -> None:
    assert can_reach("cases", end, events) is leads
