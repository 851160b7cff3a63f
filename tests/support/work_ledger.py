"""Offices that work on cases at random, and a ledger of their work outside the service.

The ledger records the actions of the test, with the time of the test's clock. It never
reads the database, so tests can compare the service's figures of an office with it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_service_consent,
    unwrap,
)

ZONE: Final = ZoneInfo("Asia/Almaty")
DECLINES: Final = ("NO_CAPACITY", "OUT_OF_AREA", "LANGUAGE")
LATE: Final = timedelta(minutes=7)


@dataclass(frozen=True)
class Line:
    """An event at an office, with the time by which the figures count it."""

    office: str
    what: str
    at: datetime
    cell: str = ""
    took: timedelta = timedelta()


@dataclass
class WorkLedger:
    """The lines of a ledger, and sums of the lines of an office in a period."""

    lines: list[Line] = field(default_factory=list)

    def select(self, office: str, what: str, first: date, last: date) -> list[Line]:
        """Return the lines about `what` at an office, for local days `first` to `last`."""
        return [
            line
            for line in self.lines
            if (line.office, line.what) == (office, what)
            and first <= line.at.astimezone(ZONE).date() <= last
        ]

    def build_figures(self, office: str, first: date, last: date) -> Json:
        """Return the expected figures of an office from the first to the last day."""

        def find(what: str) -> list[Line]:
            return self.select(office, what, first, last)

        in_time = Counter(line.cell for line in find("in time"))
        late = Counter(line.cell for line in find("late"))
        sent = find("sent")
        return {
            "acknowledged": measure(line.took for line in find("acknowledged")),
            "decided": measure(line.took for line in find("decided")),
            "sheltered": measure(line.took for line in find("sheltered")),
            "answers": {
                cell: (in_time[cell], late[cell]) for cell in in_time.keys() | late.keys()
            },
            "own_declines": Counter(line.cell for line in find("declined")),
            "declines_received": Counter(line.cell for line in find("was declined")),
            "referrals": {"sent": len(sent), "cases": len({one.cell for one in sent})},
            "consents_withdrawn": len(find("consent withdrawn")),
        }


def measure(durations: Iterable[timedelta]) -> Json:
    """Return the number, the median and the 90th percentile of durations, in seconds."""
    seconds = [round(one.total_seconds()) for one in durations]
    return {
        "count": len(seconds),
        "median_seconds": find_percentile(seconds, 50),
        "percentile_90_seconds": find_percentile(seconds, 90),
    }


def find_percentile(values: Sequence[int], percent: int) -> int | None:
    """Return the least value that at least `percent` percent of the values do not exceed.

    Return None if there are no values.
    """

    def covers(value: int) -> bool:
        return 100 * sum(one <= value for one in values) >= percent * len(values)

    return min(filter(covers, values), default=None)


class Workers:
    """A submitter, a lead, a shelter and a lawyer, who work on cases as a seed decides."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance, self.ledger = world, Random(seed), WorkLedger()
        self.officer = world.add_person("UZ_CONSULATE_ALMATY")
        self.lead = world.add_person("KZ_LEAD")
        self.helpers = {
            "SHELTER": world.add_person("KZ_SHELTER_KOGERSHIN"),
            "LEGAL_AID": world.add_person("KZ_LEGAL_AID"),
        }

    @property
    def offices(self) -> list[Someone]:
        return [self.officer, self.lead, *self.helpers.values()]

    def wait(self) -> None:
        self.world.wait(seconds=self.chance.uniform(60, 1500))

    def write(
        self,
        who: Someone,
        what: str,
        cell: str = "",
        *,
        at: datetime | None = None,
        since: datetime | None = None,
    ) -> None:
        """Write a line with the time `at`, by default now, and the time since `since`."""
        now = self.world.now
        line = Line(who.code, what, at or now, cell, now - (since or now))
        self.ledger.lines.append(line)

    def write_answer(self, who: Someone, subject: str, began: datetime, cell: str) -> None:
        """Write whether an answer is in time, by the due time that the worklist shows."""
        [due] = [due for one, _, due in who.get_worklist() if one == subject]
        is_late = datetime.fromisoformat(due) < self.world.now
        self.write(who, "late" if is_late else "in time", cell, at=began)

    def play_case(self) -> None:
        """Play one case from its submission to the answers of the offices that help."""
        self.wait()
        case, asked = self.officer.submit(), self.world.now
        subject = f"cases/{case['code']}"
        self.wait()
        self.write_answer(self.lead, subject, asked, "")
        self.write(self.lead, "acknowledged", at=asked, since=asked)
        if self.chance.random() < 0.2:
            self.write(self.lead, "decided", at=asked, since=asked)
            self.decline(self.lead, case, "decline-lead")
            return
        unwrap(self.lead.does("acknowledge", case))
        began = self.world.now
        self.wait()
        self.write_answer(self.lead, subject, began, "")
        self.write(self.lead, "decided", at=began, since=asked)
        self.take_lead(case)
        for service in self.helpers:
            if self.chance.random() < 0.7:
                self.play_referral(case, service)
        if self.chance.random() < 0.4:
            self.withdraw_consent(case)

    def take_lead(self, case: Json) -> None:
        contacts = make_acceptance()["contacts"]
        unwrap(self.lead.does("accept-lead", case, {"contacts": contacts}))

    def decline(self, who: Someone, record: Json, action: str = "decline") -> None:
        reason = self.chance.choice(DECLINES)
        answer = who.does(action, record, {"reason": reason})
        assert answer.is_success, answer.text
        self.write(who, "declined", reason)
        if action == "decline":
            self.write(self.lead, "was declined", reason)

    def play_referral(self, case: Json, service: str) -> None:
        """Refer a person, and let the helper answer in one or two steps, perhaps late."""
        helper = self.helpers[service]
        sent = unwrap(self.lead.refer(case, helper.code, service=service))
        asked = began = self.world.now
        self.write(self.lead, "sent", str(case["code"]))
        subject = f"referrals/{sent['id']}"
        self.wait_for_answer(helper, subject)
        self.write_answer(helper, subject, asked, service)
        self.write(helper, "acknowledged", at=asked, since=asked)
        if self.chance.random() < 0.5:
            unwrap(helper.does("acknowledge", sent))
            began = self.world.now
            self.wait()
            self.write_answer(helper, subject, began, service)
        self.write(helper, "decided", at=began, since=asked)
        if self.chance.random() < 0.3:
            self.decline(helper, sent)
            return
        unwrap(helper.does("accept", sent, make_acceptance("2026-06-09T09:00:00+05:00")))
        self.wait()
        if self.chance.random() < 0.7:
            unwrap(helper.does("start", sent, {"person_met": True}))
            if service == "SHELTER":
                self.write(self.lead, "sheltered", since=asked)
                self.write(helper, "sheltered", since=asked)

    def wait_for_answer(self, helper: Someone, subject: str) -> None:
        """Wait for a while, or sometimes until the task of a helper is a little late."""
        if self.chance.random() < 0.3:
            [due] = [due for one, _, due in helper.get_worklist() if one == subject]
            self.world.now = datetime.fromisoformat(due) + LATE
            self.world.run_worker()
        else:
            self.wait()

    def withdraw_consent(self, case: Json) -> None:
        """Record a further consent, withdraw it, and write the withdrawal for the lead."""
        path = f"{get_path(case)}/consents"
        new = make_service_consent(purposes=["PSYCHOSOCIAL"], sections=["needs"])
        unwrap(self.lead.create(path, new))
        self.wait()
        answer = self.officer.send(f"{path}/withdraw", {"purposes": ["PSYCHOSOCIAL"]})
        assert answer.is_success, answer.text
        self.write(self.lead, "consent withdrawn")
