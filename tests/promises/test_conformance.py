"""The reference poller conforms; of those that do not, the check finds what is wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT, served
from tests.world import done

pytestmark = pytest.mark.slow
KIT = ROOT / "conformance"
WHOLE = (KIT / "poller.py").read_text()
EARLY = """\
    with inbox:
        inbox.execute("DELETE FROM stand")
        inbox.execute("INSERT INTO stand VALUES (?)", (page["next"],))
    for _ in "1":
        time.sleep(0.3)
        for event"""
FAULTS = {
    "keeps where it stands before it deals with a page": (
        "    with inbox:\n        for event",
        EARLY,
        "missed|another order",
    ),
    "deals with what it has dealt with": (
        'if not inbox.execute(known, (event["id"],)).fetchone():',
        "if True:",
        "more than once",
    ),
    "does not wait": ("time.sleep(int(", "time.sleep(0 * int(", "Retry-After"),
    "makes cursors up": ('{"after": cursor}', '{"after": f"{cursor}1"}', "was not given"),
    "ends when the service was restored": (
        "                start_over(inbox)",
        "                sys.exit(0)",
        "ended by itself",
    ),
}  # fmt: skip


def check(poller: Path, kills: int, seed: int) -> subprocess.CompletedProcess[str]:
    run = f"{sys.executable} {poller} {{state}}"
    command = [
        sys.executable,
        str(KIT / "check.py"),
        "--run",
        run,
        "--list",
        f"{run} --list",
    ]
    options = ["--kills", str(kills), "--patience", "25", "--seed", str(seed)]
    return subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=200, check=False
    )


def test_the_reference_poller_conforms() -> None:
    found = check(KIT / "poller.py", kills=15, seed=1)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == "All 400 events once, in order, after 15 kills.\n"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_poller_with_a_fault_does_not(tmp_path: Path, fault: str) -> None:
    right, wrong, told = FAULTS[fault]
    assert right in WHOLE
    text = WHOLE.replace(right, wrong)
    if "more than once" in told:
        text = text.replace("id TEXT UNIQUE", "id TEXT")
    poller = tmp_path / "poller.py"
    poller.write_text(text)
    found = check(poller, kills=10, seed=2)
    assert found.returncode == 1
    assert re.search(told, found.stdout)


def test_the_reference_poller_follows_the_service_itself(
    sqlite_url: str, tmp_path: Path
) -> None:
    with served(sqlite_url) as world:
        officer, lead = world.someone("UZ_CONSULATE_ALMATY"), world.someone("KZ_LEAD")
        codes = [officer.submits()["code"] for _ in range(3)]
        poller = [sys.executable, str(KIT / "poller.py"), str(tmp_path / "inbox.db")]
        where = f"http://127.0.0.1:{world.port}"
        env = {"SAFE_CONDUCT_URL": where, "SAFE_CONDUCT_KEY": lead.key}
        subprocess.run([*poller, "--once"], env=env, check=True, timeout=60)
        told = subprocess.check_output([*poller, "--list"], text=True)
        events = done(lead.get("/events"))["items"]

    assert told.split() == [
        word for one in events for word in (one["id"], one["type"], one["subject"])
    ]
    assert [one["subject"] for one in events] == [f"cases/{code}" for code in codes]
