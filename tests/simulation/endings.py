"""What must hold at the end of a seed, after every office has read everything."""

from collections import Counter
from datetime import timedelta
from itertools import groupby
from typing import Final

from app.directory import queries as directory
from app.feed.queries import reach
from app.kernel.actors import SYSTEM
from app.kernel.work import reading
from tests.simulation.network import Postmen, Receiver
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
    "case.fell_back",
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
type Told = set[tuple[str, str, str]]


def listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def everybody_heard(scene: Scene) -> None:
    """Check that the audience of each step is the parties of its case or referral."""
    of_case, of_referral = listed(STEPS_OF_CASES), listed(STEPS_OF_REFERRALS)
    past = "'former_lead', 'former_recipient'"
    parties: Told = set(scene.rows(PARTIES.format(of_case, past)))
    must_agree(scene, parties, parties, set(scene.rows(HEARD.format(of_case))))
    recipients: Told = set(scene.rows(PARTIES.format(of_referral, "''")))
    now: Told = set(scene.rows(HOLDERS.format(of_referral, ">")))
    then: Told = set(scene.rows(HOLDERS.format(of_referral, ">=")))
    heard: Told = set(scene.rows(HEARD.format(of_referral)))
    must_agree(scene, recipients | now, recipients | now | then, heard)


def must_agree(scene: Scene, at_least: Told, at_most: Told, heard: Told) -> None:
    missed = sorted(one for _, _, one in at_least - heard)
    scene.must(not missed, f"a party was not told of {missed[:3]}")
    extra = sorted(one for _, _, one in heard - at_most)
    scene.must(not extra, f"an office that is no party was told of {extra[:3]}")


def feeds_are_whole(scene: Scene, partners: dict[str, Partner]) -> None:
    """Check that every office received its whole feed, in order."""
    for office, partner in partners.items():
        feed = [str_of(entry) for (entry,) in scene.rows(FEED, office)]
        scene.must(partner.heard == feed, f"{office} received something else than its feed")


def str_of(stored: str) -> str:
    """Format a stored id as the service does."""
    return "-".join((stored[:8], *(stored[n : n + 4] for n in (8, 12, 16)), stored[20:]))


def nothing_is_lost(scene: Scene, unsure: list[Deed]) -> None:
    """Check that every acknowledged action is in the journal, and none twice.

    A request without an answer may have been executed once.
    """
    done = [deed for deed, status, _ in scene.done.values() if status != ASKED_A_SECOND]
    query = "SELECT account_id, type, reference FROM entry WHERE account_id IS NOT NULL"
    kept = Counter(scene.rows(query))
    for what, times in Counter(map(sign, done)).items():
        scene.must(kept[what] >= times, f"{what[1:]} was acknowledged, but is lost")
    most = Counter(sign(deed)[:2] for deed in (*done, *unsure))
    acts = Counter(what[:2] for what in kept.elements())
    for act in sorted(most):
        if act[1] == "case.drafted":
            continue  # a case that is submitted at once is also drafted
        scene.must(acts[act] <= most[act], f"{act[1]}: {acts[act]} for {most[act]} keys")
    keys = {key for (key,) in scene.rows("SELECT key FROM outcome")}
    scene.must(
        set(scene.done) <= keys,
        "a request was acknowledged, but its idempotency key is lost",
    )


ASKED_A_SECOND: Final = 202


def sign(deed: Deed) -> tuple[str, str, str]:
    """Return an action as the journal stores it."""
    return deed.who.actor.account_id.hex, deed.event, deed.about


def all_has_left(scene: Scene, postmen: Postmen, receiver: Receiver, office: str) -> None:
    """Check that every notification and every pushed event has been delivered."""
    open_ones = scene.one(
        "SELECT count(*) FROM outgoing WHERE state IN ('waiting', 'sending')"
    )
    scene.must(open_ones == 0, f"{open_ones} notifications are not sent")
    given = {one for _, _, one in postmen.given}
    sent = {
        str_of(one) for (one,) in scene.rows("SELECT id FROM outgoing WHERE state = 'sent'")
    }
    scene.must(sent <= given, "a notification is stored as sent, but was not received")
    if scene.rows("SELECT 1 FROM webhook"):
        with reading(scene.ground, SYSTEM) as work:
            feed, head = reach(work, directory.named(work, office).id)
        due = [feed.format_cursor(position) for position in range(1, head + 1)]
        arrived = [one for one, _ in groupby(receiver.arrived)]
        scene.must(arrived == due, "a webhook received something else than the feed")


def all_is_erased(scene: Scene, named: frozenset[str]) -> None:
    """Check that every case is erased, and that the ledger lists each."""
    left = scene.rows("SELECT code, state FROM \"case\" WHERE state != 'erased'")
    scene.must(not left, f"never erased: {left}")
    scene.must(
        scene.one("SELECT count(*) FROM clock WHERE stopped_at IS NULL") == 0,
        "a deadline is still running",
    )
    erased = {one for (one,) in scene.rows("SELECT case_id FROM erasure")}
    scene.must(erased == named, "the ledger of erasures lists other cases")


def silence_was_told(scene: Scene) -> None:
    """Check that a case without any answer is at the desk, and oversight was told."""
    for person in scene.persons.values():
        rows = scene.rows(SILENT, "OVERSIGHT_DEMO", person.code)
        [(state, desks, told)] = rows
        since = scene.now - person.submitted_at if person.submitted_at else NO_TIME
        if state in {"draft", "void"} or since < LONGEST:
            continue
        scene.must(desks > 0, f"the desk never got {person.code}")
        scene.must(told > 0, f"oversight was not told of missed deadlines of {person.code}")


NO_TIME: Final = timedelta()
LONGEST: Final = timedelta(days=15)
"""Four offices have a working day each; a weekend and an absent worker come on top."""
SILENT: Final = """
    SELECT c.state,
    (SELECT count(*) FROM party p WHERE p.record_id = c.id
     AND p.relation IN ('desk', 'escalation_desk')),
    (SELECT count(*) FROM entry e JOIN delivery d ON d.entry_id = e.id
     JOIN focal_point f ON f.id = d.focal_point_id WHERE e.case_id = c.id
     AND e.type = 'case.not_acknowledged' AND f.code = ?)
    FROM "case" c WHERE c.code = ?
"""
