"""Tests of the report after a restore, which lists affected cases and whom to inform."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.cli.restore_report import MEANINGS, Why
from app.clock import get_utc_now
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.kernel.actors import SERVICE
from app.kernel.erasures import Erasure
from app.kernel.heartbeat import Part, record_heartbeat
from app.kernel.ledger import Ledger
from tests.processes.test_restoring_erasures import Command, operating
from tests.support.databases import backup
from tests.support.erased_cases import count_rows
from tests.support.webhook_receivers import create_webhook
from tests.support.world import NOON, SECTIONS, Json, Someone, World, unwrap

pytestmark = pytest.mark.slow
SECRETS = ("Oygul", "Two men", "Ойгул", "Рассказ", "hooks.example.org")


@pytest.fixture
def ledger(world: World, tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "elsewhere" / "erasures")
    made.start(world.runtime)
    return made


def record_worker_heartbeat(world: World, at: datetime) -> None:
    """Record a heartbeat of the worker at the time of the backup."""
    with world.database.begin_write() as session:
        record_heartbeat(session, Part.CLOCKS, at)


@contextmanager
def restore_backup(world: World, url: str, folder: Path) -> Iterator[Command]:
    """Back up the database, and yield a function that runs commands on the backup."""
    record_worker_heartbeat(world, world.now)
    world.database.engine.dispose()
    with backup(url) as older:
        yield operating(folder, older)


def read_report(operate: Command, *words: str) -> Json:
    said = operate("affected", "--json", *words)
    assert (said.returncode, said.stderr) == (0, "")
    found: Json = json.loads(said.stdout)
    return found


def list_lines(found: Json, code: str) -> list[tuple[str, str, str | None]]:
    [one] = [one for one in found["cases"] if one["code"] == code]
    return [(line["why"], line["what"], line["waits_on"]) for line in one["lines"]]


def test_what_waited_at_the_backup_is_told_case_by_case_with_whom_to_tell(  # noqa: PLR0913, PLR0917
    world: World,
    url: str,
    officer: Someone,
    lead: Someone,
    ledger: Ledger,
    tmp_path: Path,
) -> None:
    unanswered, led = officer.submit(), lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(led, "KZ_SHELTER_KOGERSHIN"))
    over = officer.submit()
    unwrap(officer.does("withdraw", over, {"reason": "SENT_IN_ERROR"}))
    draft, gone = (unwrap(officer.create_case()) for _ in range(2))
    with restore_backup(world, url, tmp_path) as operate:
        unwrap(officer.does("discard", gone))
        ledger.copy_erasures(world.runtime)
        assert operate("restored").returncode == 0

        found, text = read_report(operate), operate("affected").stdout

    cases = {one["code"]: one for one in found["cases"]}
    assert set(cases) == {one["code"] for one in (unanswered, led, draft, gone)}
    assert datetime.fromisoformat(found["backup_of"]) == NOON
    assert list_lines(found, unanswered["code"])[0] == (
        *("ran_out", f"cases/{unanswered['code']} acknowledge", "KZ_LEAD"),
    )
    assert (
        "ran_out",
        f"referrals/{sent['id']} acknowledge",
        "KZ_SHELTER_KOGERSHIN",
    ) in (list_lines(found, led["code"]))
    assert ("consents", "2 consents", None) in list_lines(found, led["code"])
    assert ["lead", "KZ_LEAD"] in cases[led["code"]]["tell"]
    assert ["recipient", "KZ_SHELTER_KOGERSHIN"] in cases[led["code"]]["tell"]
    assert list_lines(found, gone["code"]) == [("erased", f"cases/{gone['code']}", None)]
    assert all(one["code"] in text for one in cases.values())
    assert [word for word in SECRETS if word in text + json.dumps(found)] == []
    assert SECTIONS


def test_what_is_due_later_waits_and_what_was_late_before_was_overdue(
    world: World, url: str, officer: Someone, ledger: Ledger, tmp_path: Path
) -> None:
    case = officer.submit()
    assert ledger.read()
    with restore_backup(world, url, tmp_path) as operate:
        late = read_report(operate, "--since", "2026-11-01")
        text = operate("affected", "--since", "2026-11-01").stdout

    assert list_lines(late, case["code"])[0][0] == "overdue"
    assert MEANINGS[Why.OVERDUE] in text
    assert "1 have a missed deadline" in text


def test_a_case_that_the_backup_never_knew_is_counted_and_the_feeds_are_told(
    world: World, url: str, lead: Someone, ledger: Ledger, tmp_path: Path
) -> None:
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    officer.submit()
    hook = create_webhook(world, "KZ_LEAD")
    lead.poll()
    lead.poll()
    with restore_backup(world, url, tmp_path) as operate:
        never = unwrap(officer.create_case())
        unwrap(officer.does("discard", never))
        ledger.copy_erasures(world.runtime)
        assert operate("restored").returncode == 0

        found = read_report(operate)

    assert found["unknown"] == 1
    assert never["code"] not in {one["code"] for one in found["cases"]}
    feeds = [(one["office"], one["webhook"], one["upto"]) for one in found["feeds"]]
    assert ("KZ_LEAD", None, 1) in feeds
    assert ("KZ_LEAD", f"webhooks/{hook.id}", 1) in feeds


def test_where_nothing_ever_happened_the_moment_has_to_be_said(
    world: World, url: str, ledger: Ledger, tmp_path: Path
) -> None:
    assert ledger.read()
    world.database.engine.dispose()

    refused = operating(tmp_path, url)("affected")

    assert refused.returncode == 1
    assert "--since" in refused.stderr


def test_what_was_spared_after_the_backup_is_kept_for_30_days_and_told(  # noqa: PLR0913, PLR0917
    world: World,
    url: str,
    officer: Someone,
    lead: Someone,
    ledger: Ledger,
    tmp_path: Path,
) -> None:
    over, far = (lead.take_lead(officer.submit()) for _ in range(2))
    for case in (over, far):
        unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST", "note": "Enough"}))
    drafts = [unwrap(officer.create_case()) for _ in range(2)]
    its = (Clock.kind == DeadlineKind.ERASE) & (Clock.reference == f"cases/{over['code']}")
    with world.database.begin_write(SERVICE) as session:
        session.scalars(select(Clock).where(its)).one().due_at = NOON
    assert ledger.read()
    record_worker_heartbeat(world, NOON)
    world.database.engine.dispose()
    with backup(url) as older:
        operate = operating(tmp_path, older)
        before, said, found = (
            read_report(operate),
            operate("restored"),
            read_report(operate),
        )
        text = operate("affected").stdout
        again = World(older)
        again.now = get_utc_now() + timedelta(days=29)
        again.run_worker()
        kept_for_now = count_rows(again, Erasure)
        again.advance(days=2)
        again.run_worker()
        assert count_rows(again, Erasure) == {"erasure": 3}
        again.close()

    assert (said.returncode, said.stderr, kept_for_now) == (0, "", {})
    assert "3 cases and drafts due for erasure are kept for 30 days." in said.stdout
    for word in ("legal hold", "revoke-roles", "public-keys", "webhooks", "disable"):
        assert word in said.stdout
    whys = {one["code"]: {line["why"] for line in one["lines"]} for one in found["cases"]}
    assert whys.keys() == {one["code"] for one in (over, *drafts)} == list_codes(before)
    assert all("will_be_erased" in why for why in whys.values())
    assert "ran_out" not in {why for those in whys.values() for why in those}
    [listed] = [one for one in found["cases"] if one["code"] == over["code"]]
    assert ["oversight", "OVERSIGHT_DEMO"] in listed["tell"]
    assert MEANINGS[Why.WILL_BE_ERASED] in text


def list_codes(found: Json) -> set[str]:
    return {one["code"] for one in found["cases"]}
