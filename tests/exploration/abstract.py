"""The abstract state of a case. States that are equal are explored only once.

The state is read from the database with a few statements. It leaves out the values that do
not affect the actions of any office: times, versions, contents, and the order of events.
"""

import json
from dataclasses import dataclass
from typing import Any, Final, override

from tests.exploration.stage import LEADERS, Rows, Stage

CASE: Final = """SELECT id, state, age_class, country FROM "case" WHERE code = :code"""
OFFICES: Final = "SELECT id, code FROM focal_point"
PARTIES: Final = """SELECT relation, focal_point_id FROM party
    WHERE case_id = :id AND until IS NULL"""
REFERRALS: Final = "SELECT service, recipient_id, state FROM referral WHERE case_id = :id"
HANDOVERS: Final = """SELECT successor_id FROM handover
    WHERE case_id = :id AND state = 'offered'"""
RETURNS: Final = "SELECT state FROM return_checklist WHERE case_id = :id"
CONSENTS: Final = """SELECT purposes, given_by, kind, focal_point_id FROM consent
    WHERE case_id = :id AND withdrawn_at IS NULL AND expires_at > :now"""
FACTS: Final = "SELECT name, value FROM fact WHERE case_id = :id ORDER BY number"
CLOCKS: Final = """SELECT kind, waits_on, due_at <= :now FROM clock
    WHERE case_id = :id AND stopped_at IS NULL"""
SILENCES: Final = """SELECT waits_on FROM firing WHERE case_id = :id
    GROUP BY waits_on HAVING count(*) >= 3"""
AGREED: Final = "SELECT count(*) FROM agreement WHERE in_force_until IS NULL"
OVER: Final = frozenset({"void", "closed", "erased"})
LIVE: Final = frozenset({"draft", "sent", "received", "info_requested", "accepted"})
HELPING: Final = frozenset({"in_progress", "on_hold"})


@dataclass(frozen=True)
class Abstract:
    """An abstract state of a case and its offices, to be compared with other states."""

    state: str
    is_adult: bool
    country: str
    parties: frozenset[tuple[str, str]]
    absent: frozenset[str]
    """Parties and possible leads that are closed or have no enabled account."""
    alone: frozenset[str]
    """Open parties and possible leads that have no second person."""
    referrals: frozenset[tuple[str, str, str]]
    offered_to: tuple[str, ...]
    returns: tuple[str, ...]
    consents: frozenset[tuple[tuple[str, ...], str, str]]
    facts: frozenset[tuple[str, str]]
    clocks: frozenset[tuple[str, str, bool]]
    silent: frozenset[str]
    agreements: int

    @override
    def __str__(self) -> str:
        parties = ", ".join(f"{one} {office}" for one, office in sorted(self.parties))
        absent = ", ".join(sorted(self.absent)) or "nobody"
        alone = f"; alone: {', '.join(sorted(self.alone))}" if self.alone else ""
        return f"{self.state}; {parties}; absent: {absent}{alone}"


def get_state(stage: Stage) -> str:
    """Return the state of the case, or an empty string before the case exists."""
    found = stage.fetch_rows('SELECT state FROM "case" WHERE code = :code')
    return str(found[0][0]) if found else ""


def read_abstract(stage: Stage) -> Abstract:
    """Return the abstract state of the stage."""
    [(case, state, age, country)] = stage.fetch_rows(CASE)
    now = stage.now.strftime("%Y-%m-%d %H:%M:%S.%f")

    def fetch(query: str) -> Rows:
        return stage.fetch_rows(query, id=case, now=now)

    codes: dict[Any, str] = dict(fetch(OFFICES))
    parties = frozenset((relation, codes[one]) for relation, one in fetch(PARTIES))
    involved = {office for _, office in parties} | set(LEADERS)
    staffed = stage.list_staffed()
    return Abstract(
        state=state,
        is_adult=age == "adult",
        country=country,
        parties=parties,
        absent=frozenset(involved - staffed),
        alone=frozenset(involved & staffed - stage.list_present(stage.seconds)),
        referrals=frozenset(
            (service, codes[to], kept)
            for service, to, kept in fetch(REFERRALS)
            if kept in LIVE | HELPING
        ),
        offered_to=tuple(codes[one] for (one,) in fetch(HANDOVERS)),
        returns=tuple(sorted(one for (one,) in fetch(RETURNS))),
        consents=frozenset(
            (tuple(json.loads(purposes)), by, kind or codes[named])
            for purposes, by, kind, named in fetch(CONSENTS)
        ),
        facts=frozenset(dict(fetch(FACTS)).items()),
        clocks=frozenset(
            (kind, codes.get(one, ""), bool(late)) for kind, one, late in fetch(CLOCKS)
        ),
        silent=frozenset(codes.get(one, "") for (one,) in fetch(SILENCES)) & set(LEADERS),
        agreements=fetch(AGREED)[0][0],
    )
