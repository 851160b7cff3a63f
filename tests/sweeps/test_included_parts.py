"""Lists and `include` show each office exactly what other operations show it.

The world has a case in each stage of the access matrix, so that every relation to a case is
compared.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.api.case_parts import CasePart
from app.cases.models import Case
from app.deadlines.models import Clock
from app.kernel.actors import SERVICE
from tests.support.databases import Copy
from tests.support.raw_requests import open_wire
from tests.support.world import Json, Someone, unwrap
from tests.sweeps.matrix import plans
from tests.sweeps.matrix.people import people

pytestmark = [pytest.mark.slow, pytest.mark.soak]

OWN_PATHS: Final[Mapping[str, str]] = {
    "evidence": "/cases/{code}/evidence",
    "history": "/cases/{code}/history",
    "referrals": "/referrals?case={code}",
    "handovers": "/handovers?case={code}",
    "consents": "/cases/{code}/consents",
    "facts": "/cases/{code}/facts",
    "questions": "/cases/{code}/questions",
    "screenings": "/cases/{code}/screenings",
    "routing": "/cases/{code}/routing",
    "emergency_access": "/cases/{code}/emergency-access",
}
"""The path of the operation that returns each part; tasks are items of the worklist."""
ALL: Final = [part.value for part in CasePart]
OPEN: Final = (
    "submitted",
    "under_review",
    "referring",
    "assisting",
    "suspended",
    "monitoring",
)
OFFICES: Final = (
    "consulate",
    "kz",
    "iom",
    "sana",
    "uz",
    "shelter",
    "lawyer",
    "other_shelter",
    "desk",
    "oversight",
    "elsewhere",
)
UNKNOWN: Final = "SC-7K3F-9QXM-4T2B-3"

type People = Mapping[str, Someone]


@pytest.fixture(scope="module")
def everyone(copy: Copy, app: FastAPI) -> Iterator[People]:
    """Yield a person of each office, with every role that works on cases."""
    with copy() as url, open_wire(url, app) as wire:
        known = people(wire.world)
        plans.CASES.build(known)
        yield {name: one for name, one in known.items() if name in OFFICES}


def find_case_codes(one: Someone) -> dict[str, str]:
    """Return the code of the case of each running deadline, by the subject of the task."""
    statement = select(Clock.reference, Clock.number, Case.code)
    joined = statement.join(Case, Case.id == Clock.case_id)
    with one.world.database.begin_read(SERVICE) as session:
        rows = session.execute(joined.where(Clock.stopped_at.is_(None)))
        return {reference: code for reference, _, code in rows}


def list_tasks_of(one: Someone, code: str) -> list[Json]:
    """Return the items of the worklist that are about one case."""
    codes = find_case_codes(one)
    return [
        task for task in one.list_all("/worklist") if codes.get(task["subject"]) == code
    ]


def compare_parts(one: Someone, code: str) -> Counter[str]:
    """Compare included parts with the responses of their operations; count the outcomes."""
    whole = unwrap(one.get(f"/cases/{code}", include=ALL))
    included, found = whole.pop("included"), Counter[str]()
    refused = {said["part"]: said for said in included.pop("refused")}
    assert included.keys() | refused.keys() == set(ALL)
    assert not included.keys() & refused.keys()
    assert included["tasks"]["items"] == list_tasks_of(one, code)
    for part, path in OWN_PATHS.items():
        own = one.ask("GET", path.format(code=code))
        if own.is_success:
            assert included[part] == own.json(), (part, code)
            found["shown"] += 1
        else:
            said = {"status": own.status_code, "type": own.json()["type"]}
            assert refused[part] == {"part": part, **said}, (part, code)
            found["refused"] += 1
    assert whole == unwrap(one.get(f"/cases/{code}"))
    return found


def test_each_part_is_what_its_own_operation_answers(everyone: People) -> None:
    found = Counter[str]()

    for one in everyone.values():
        for case in one.list_all("/cases"):
            found += compare_parts(one, case["code"])

    assert OWN_PATHS.keys() | {"tasks"} == set(ALL)
    assert found["shown"] > 400
    assert found["refused"] > 10


def test_task_shows_its_case_as_the_case_shows_itself(everyone: People) -> None:
    found = Counter[bool]()

    for one in everyone.values():
        codes = find_case_codes(one)
        for task in one.list_all("/worklist", include="summary"):
            answer = one.get(f"/cases/{codes[task['subject']]}")
            shown = task.pop("case", None)
            found[answer.is_success] += 1
            if not answer.is_success:
                assert answer.status_code == 404
                assert shown is None
                continue
            case = answer.json()
            names = ("code", "stage", "state", "summary")
            mine = case["holder"] == one.code
            sender = case["submitter"] if mine else case["holder"]
            assert shown == {name: case[name] for name in names} | {"sender": sender}

    assert found[True] > 20
    assert found[False] > 0


def test_task_is_the_same_with_and_without_its_case(everyone: People) -> None:
    for one in everyone.values():
        plain = one.list_all("/worklist", limit=3)
        full = one.list_all("/worklist", limit=3, include="summary")

        assert [task | {"case": None} for task in full] == [
            task | {"case": None} for task in plain
        ]
        assert not any("case" in task for task in plain)


def test_list_of_cases_shows_the_tasks_of_each_case(everyone: People) -> None:
    found = 0

    for one in everyone.values():
        plain = one.list_all("/cases")
        for case, bare in zip(one.list_all("/cases", include="tasks"), plain, strict=True):
            included = case.pop("included")
            assert case == bare
            assert included == {
                "tasks": {"items": list_tasks_of(one, case["code"])},
                "refused": [],
            }
            found += len(included["tasks"]["items"])

    assert found > 20


def get_due_key(case: Json) -> tuple[bool, str]:
    return case["due_at"] is None, case["due_at"] or ""


def test_cases_are_sorted_by_the_due_time_that_each_case_shows(everyone: People) -> None:
    found = Counter[bool]()

    for one in everyone.values():
        by_due = one.list_all("/cases", sort="due_at", limit=2)
        cases = one.list_all("/cases")
        assert by_due == sorted(cases, key=get_due_key)
        found.update(case["due_at"] is None for case in cases)

    assert found[True] > 10
    assert found[False] > 10


def test_sent_cases_are_those_that_the_office_submitted(everyone: People) -> None:
    found = Counter[str]()

    for name, one in everyone.items():
        cases = one.list_all("/cases")
        sent = [
            case
            for case in cases
            if "submitter" in case["you_are"] and case["state"] != "draft"
        ]
        assert one.list_all("/cases", sent=True) == sent
        counts = unwrap(one.get("/worklist/counts"))
        assert counts["sent"] == sum(case["state"] in OPEN for case in sent)
        drafts = one.list_all("/cases", role="submitter", state="draft")
        assert counts["drafts"] == len(drafts)
        found[name] = len(sent)

    assert found["consulate"] > 5
    assert found["iom"] == 0


def count_by_hand(one: Someone, tasks: list[Json], zone: str) -> dict[str, int]:
    """Count tasks by urgency, as the contract describes the counts."""
    now, there = one.world.now, ZoneInfo(zone)
    tomorrow = now.astimezone(there).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time(), there).astimezone(UTC)
    found = dict.fromkeys(("late", "soon", "today", "later"), 0)
    for task in tasks:
        due_at = datetime.fromisoformat(task["due_at"])
        if due_at < now:
            found["late"] += 1
        elif due_at < now + timedelta(hours=4):
            found["soon"] += 1
        elif due_at < midnight:
            found["today"] += 1
        else:
            found["later"] += 1
    return found


def test_counts_are_those_of_the_worklist(everyone: People) -> None:
    one = everyone["sana"]
    start, found = one.world.now, Counter[str]()

    for hours in (0, 12, 22, 40, 64, 120):
        one.world.now = start + timedelta(hours=hours)
        for name in ("sana", "iom", "shelter", "uz", "desk", "consulate"):
            someone = everyone[name]
            office = unwrap(someone.get(f"/focal-points/{someone.code}"))
            tasks = someone.list_all("/worklist")
            counted = count_by_hand(someone, tasks, office["time_zone"])
            counts = unwrap(someone.get("/worklist/counts"))
            assert {key: counts[key] for key in counted} == counted
            assert counts["waiting"] == len(tasks)
            found += Counter(counted)
    one.world.now = start

    assert all(found[key] for key in ("late", "soon", "today", "later"))


def search(one: Someone, **sought: Any) -> Json:
    return unwrap(one.send("/cases/search", sought))


def test_search_by_code_finds_what_the_caller_can_read(everyone: People) -> None:
    codes = set(find_case_codes(everyone["sana"]).values())
    nothing = everyone["sana"].send("/cases/search", {"code": UNKNOWN})
    found = Counter[bool]()

    for one in everyone.values():
        for code in codes:
            answer = one.send("/cases/search", {"code": code})
            case = one.get(f"/cases/{code}")
            found[case.is_success] += 1
            if case.is_success:
                assert answer.json() == {"items": [case.json()]}
                continue
            assert answer.content == nothing.content == b'{"items":[]}'
            assert answer.headers["ETag"] == nothing.headers["ETag"]

    assert found[True] > 40
    assert found[False] > 40


def test_search_by_own_reference_finds_only_cases_of_the_own_office(
    everyone: People,
) -> None:
    officer, lead = everyone["consulate"], everyone["sana"]
    case = unwrap(officer.create_case(external_reference="A/7"))
    own = unwrap(lead.create_case(external_reference="A/7"))

    assert search(officer, external_reference="A/7") == {"items": [officer.read(case)]}
    assert search(lead, external_reference="A/7") == {"items": [lead.read(own)]}
    for name, one in everyone.items():
        if one.code not in {officer.code, lead.code}:
            assert search(one, external_reference="A/7") == {"items": []}, name
    assert search(officer, external_reference="A/70") == {"items": []}
