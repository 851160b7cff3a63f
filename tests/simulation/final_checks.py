"""Checks at the end of a simulation, when every office has read its whole feed."""

from collections import Counter
from datetime import timedelta
from itertools import groupby
from typing import Final

from app.directory import queries as directory_queries
from app.feed.queries import get_feed
from app.kernel.actors import SYSTEM
from app.kernel.transactions import begin_read
from tests.simulation.network import FakeServers, Receiver
from tests.simulation.partners import Partner
from tests.simulation.world import Deed, Scene

STEPS_OF_CASES: Final = (
    "case.submitted",
    "case.withdrawn",
    "case.acknowledged",
    "case.lead_declined",
    "case.rerouted",
    "case.assigned",
    "case.lead_accepted",
    "case.assistance_begun",
    "case.referring_again",
    "case.suspended",
    "case.resumed",
    "case.monitoring_begun",
    "case.assistance_reopened",
    "case.closed",
    "case.stopped",
    "case.erased",
    "case.discarded",
)
STEPS_OF_REFERRALS: Final = (
    "referral.sent",
    "referral.acknowledged",
    "referral.asked",
    "referral.answered",
    "referral.accepted",
    "referral.declined",
    "referral.redirected",
    "referral.started",
    "referral.held",
    "referral.resumed",
    "referral.completed",
    "referral.withdrawn",
    "referral.revoked",
    "referral.expired",
    "referral.deletion_confirmed",
)
PARTIES: Final = """
    SELECT e.id, p.focal_point_id, e.type FROM entry e
    JOIN party p ON p.record_id = e.record_id WHERE e.type IN ({0})
    AND p.relation NOT IN ({1}) AND p.since <= e.at AND (p.until IS NULL OR p.until >= e.at)
"""
HOLDERS: Final = """
    SELECT e.id, p.focal_point_id, e.type FROM entry e
    JOIN party p ON p.record_id = e.case_id WHERE e.type IN ({0})
    AND p.relation IN ('lead', 'candidate', 'desk') AND p.since <= e.at
    AND (p.until IS NULL OR p.until {1} e.at)
"""
HEARD: Final = """
    SELECT e.id, d.focal_point_id, e.type FROM entry e JOIN delivery d ON d.entry_id = e.id
    WHERE e.type IN ({0})
"""
FEED: Final = """
    SELECT d.entry_id FROM delivery d JOIN focal_point f ON f.id = d.focal_point_id
    WHERE f.code = ? ORDER BY d.position
"""
type EventRows = set[tuple[str, str, str]]


def format_list(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def check_audiences(scene: Scene) -> None:
    """Check that each event was sent to exactly the parties of its case or referral."""
    of_case, of_referral = format_list(STEPS_OF_CASES), format_list(STEPS_OF_REFERRALS)
    past = "'former_lead', 'former_recipient'"
    parties: EventRows = set(scene.fetch_rows(PARTIES.format(of_case, past)))
    compare_audiences(scene, parties, parties, set(scene.fetch_rows(HEARD.format(of_case))))
    recipients: EventRows = set(scene.fetch_rows(PARTIES.format(of_referral, "''")))
    now: EventRows = set(scene.fetch_rows(HOLDERS.format(of_referral, ">")))
    then: EventRows = set(scene.fetch_rows(HOLDERS.format(of_referral, ">=")))
    heard: EventRows = set(scene.fetch_rows(HEARD.format(of_referral)))
    compare_audiences(scene, recipients | now, recipients | now | then, heard)


def compare_audiences(
    scene: Scene, at_least: EventRows, at_most: EventRows, heard: EventRows
) -> None:
    missed = sorted(one for _, _, one in at_least - heard)
    scene.require(not missed, f"a party was not told of {missed[:3]}")
    extra = sorted(one for _, _, one in heard - at_most)
    scene.require(not extra, f"an office that is no party was told of {extra[:3]}")


def check_feeds(scene: Scene, partners: dict[str, Partner]) -> None:
    """Check that every office received exactly its feed, in order."""
    for office, partner in partners.items():
        feed = [format_id(entry) for (entry,) in scene.fetch_rows(FEED, office)]
        scene.require(
            partner.received == feed, f"{office} received something else than its feed"
        )


def format_id(stored: str) -> str:
    """Format a stored id as the service does."""
    return "-".join((stored[:8], *(stored[n : n + 4] for n in (8, 12, 16)), stored[20:]))


def check_journal(scene: Scene, unsure: list[Deed]) -> None:
    """Check that every acknowledged action is in the journal exactly once.

    An action whose response was lost may be in the journal at most once.
    """
    done = [
        deed for deed, status, _ in scene.acknowledged.values() if status != ASKED_A_SECOND
    ]
    query = "SELECT account_id, type, reference FROM entry WHERE account_id IS NOT NULL"
    kept = Counter(scene.fetch_rows(query))
    for what, times in Counter(map(describe_deed, done)).items():
        scene.require(kept[what] >= times, f"{what[1:]} was acknowledged, but is lost")
    most = Counter(describe_deed(deed)[:2] for deed in (*done, *unsure))
    acts = Counter(what[:2] for what in kept.elements())
    for act in sorted(most):
        if act[1] == "case.drafted":
            continue  # a case that is submitted at once is also drafted
        scene.require(acts[act] <= most[act], f"{act[1]}: {acts[act]} for {most[act]} keys")
    keys = {key for (key,) in scene.fetch_rows("SELECT key FROM outcome")}
    scene.require(
        set(scene.acknowledged) <= keys,
        "a request was acknowledged, but its idempotency key is lost",
    )


ASKED_A_SECOND: Final = 202


def describe_deed(deed: Deed) -> tuple[str, str, str]:
    """Return the account, event and subject of an action, as the journal stores them."""
    return deed.sender.actor.account_id.hex, deed.event, deed.about


def check_deliveries(
    scene: Scene, postmen: FakeServers, receiver: Receiver, office: str
) -> None:
    """Check that no notification still waits, and that all webhook events arrived.

    A notification that is stored as sent must have arrived as well.
    """
    open_ones = scene.fetch_value(
        "SELECT count(*) FROM outgoing WHERE state IN ('waiting', 'sending')"
    )
    scene.require(open_ones == 0, f"{open_ones} notifications are not sent")
    given = {one for _, _, one in postmen.received}
    sent = {
        format_id(one)
        for (one,) in scene.fetch_rows("SELECT id FROM outgoing WHERE state = 'sent'")
    }
    scene.require(sent <= given, "a notification is stored as sent, but was not received")
    if scene.fetch_rows("SELECT 1 FROM webhook"):
        with begin_read(scene.runtime, SYSTEM) as tx:
            feed, head = get_feed(tx, directory_queries.get_by_code_or_422(tx, office).id)
        due = [feed.format_cursor(position) for position in range(1, head + 1)]
        arrived = [one for one, _ in groupby(receiver.arrived)]
        scene.require(arrived == due, "a webhook received something else than the feed")


def check_erasures(scene: Scene, named: frozenset[str]) -> None:
    """Check that every case is erased, that no deadline runs, and that the ledger agrees.

    `named` has the ids of the cases in the ledger of erasures.
    """
    left = scene.fetch_rows("SELECT code, state FROM \"case\" WHERE state != 'erased'")
    scene.require(not left, f"never erased: {left}")
    scene.require(
        scene.fetch_value("SELECT count(*) FROM clock WHERE stopped_at IS NULL") == 0,
        "a deadline is still running",
    )
    erased = {one for (one,) in scene.fetch_rows("SELECT case_id FROM erasure")}
    scene.require(erased == named, "the ledger of erasures lists other cases")


def check_missed_deadlines(scene: Scene) -> None:
    """Check that unanswered cases were escalated to the desk and reported to oversight.

    Drafts, void cases, and cases submitted less than `LONGEST` ago are not checked.
    """
    for person in scene.persons.values():
        rows = scene.fetch_rows(SILENT, "OVERSIGHT_DEMO", person.code)
        [(state, desks, told)] = rows
        since = scene.now - person.submitted_at if person.submitted_at else NO_TIME
        if state in {"draft", "void"} or since < LONGEST:
            continue
        scene.require(desks > 0, f"the desk never got {person.code}")
        scene.require(
            told > 0, f"oversight was not told of missed deadlines of {person.code}"
        )


NO_TIME: Final = timedelta()
LONGEST: Final = timedelta(days=15)
"""Maximum time until an escalation, with four offices, a week-end and worker failures."""
SILENT: Final = """
    SELECT c.state,
    (SELECT count(*) FROM party p WHERE p.record_id = c.id
     AND p.relation IN ('desk', 'escalation_desk')),
    (SELECT count(*) FROM entry e JOIN delivery d ON d.entry_id = e.id
     JOIN focal_point f ON f.id = d.focal_point_id WHERE e.case_id = c.id
     AND e.type = 'case.not_acknowledged' AND f.code = ?)
    FROM "case" c WHERE c.code = ?
"""
