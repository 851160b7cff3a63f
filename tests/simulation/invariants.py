"""Invariants that must hold after every step of a simulation, as queries for violations.

The queries are written from LIFECYCLES.md (1, 2, 5 and 7) and API.md, and not from the
code. They read the tables directly.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from tests.simulation.world import Scene

OPEN: Final = (
    "('submitted', 'under_review', 'referring', 'assisting', 'suspended', 'monitoring')"
)
LED: Final = "('referring', 'assisting', 'suspended', 'monitoring')"
ALIVE: Final = (
    "('sent', 'received', 'info_requested', 'accepted', 'in_progress', 'on_hold')"
)
QUIET: Final = "('finish_draft', 'erase', 'consent_ends', 'decide_reading', 'reading_ends')"
"""Kinds of deadlines for which no event is recorded when they are missed."""
HOLDER: Final = """
    SELECT p.focal_point_id FROM party p WHERE p.record_id = c.id AND p.until IS NULL
    AND p.relation IN ('lead', 'candidate', 'desk')
    ORDER BY CASE p.relation WHEN 'lead' THEN 0 WHEN 'candidate' THEN 1 ELSE 2 END LIMIT 1
"""
RUNNING: Final = "FROM clock k WHERE k.record_id = {0}.id AND k.stopped_at IS NULL"
OF_CASE: Final = RUNNING.format("c")

ALWAYS: Final[Mapping[str, str]] = {
    "an open case has a holder": f"""
        SELECT c.code FROM "case" c WHERE c.state IN {OPEN} AND ({HOLDER}) IS NULL""",
    "an open case has a deadline of its holder": f"""
        SELECT c.code, c.state FROM "case" c WHERE c.state IN {OPEN}
        AND NOT EXISTS (SELECT 1 {OF_CASE} AND k.waits_on = ({HOLDER}))""",
    "a draft or an ended case has one deadline until it is discarded or erased": f"""
        SELECT c.code, c.state FROM "case" c WHERE c.state IN ('draft', 'closed', 'void')
        AND (SELECT count(*) {OF_CASE}) != 1""",
    "an erased case has no running deadline": """
        SELECT c.code FROM "case" c JOIN clock k ON k.case_id = c.id
        WHERE c.state = 'erased' AND k.stopped_at IS NULL""",
    "a case has at most one lead, and exactly one in the states with a lead": f"""
        SELECT c.code, c.state FROM "case" c WHERE
        (SELECT count(*) FROM party p WHERE p.record_id = c.id AND p.relation = 'lead'
         AND p.until IS NULL) NOT BETWEEN (c.state IN {LED}) AND 1""",
    "an open referral has a deadline, unless its case is suspended": f"""
        SELECT r.id, r.state FROM referral r JOIN "case" c ON c.id = r.case_id
        WHERE r.state IN {ALIVE} AND c.state != 'suspended'
        AND NOT EXISTS (SELECT 1 {RUNNING.format("r")} AND k.waits_on IS NOT NULL)""",
    "an offered handover has a deadline": f"""
        SELECT h.id FROM handover h WHERE h.state = 'offered'
        AND NOT EXISTS (SELECT 1 {RUNNING.format("h")})""",
    "a case has no more deadlines than records that need one": """
        SELECT c.code, count(*) AS many FROM clock k JOIN "case" c ON c.id = k.case_id
        WHERE k.stopped_at IS NULL GROUP BY c.id
        HAVING many > 3 + (SELECT count(*) FROM referral r WHERE r.case_id = c.id)
        + (SELECT count(*) FROM handover h WHERE h.case_id = c.id AND h.state = 'offered')
        + (SELECT count(*) FROM approval a WHERE a.case_id = c.id)
        + (SELECT count(*) FROM consent s
           WHERE s.case_id = c.id AND s.withdrawn_at IS NULL)""",
    "a record has at most one running deadline": """
        SELECT record_id FROM clock WHERE stopped_at IS NULL
        GROUP BY record_id HAVING count(*) > 1""",
    "a feed has every position from 1 to its head": """
        SELECT m.focal_point_id, m.head, count(d.position), max(d.position)
        FROM mailbox m LEFT JOIN delivery d USING (focal_point_id) GROUP BY 1
        HAVING count(d.position) != m.head OR coalesce(max(d.position), 0) != m.head
        OR coalesce(min(d.position), 1) != 1""",
    "no office receives an event twice": """
        SELECT entry_id FROM delivery GROUP BY entry_id, focal_point_id
        HAVING count(*) > 1""",
    "every missed deadline is an event": f"""
        SELECT case_id, kind, count(*) FROM firing WHERE kind NOT IN {QUIET} GROUP BY 1, 2
        EXCEPT SELECT case_id, json_extract(facts, '$.clock'), count(*) FROM entry
        WHERE json_extract(facts, '$.clock') IS NOT NULL GROUP BY 1, 2""",
    "every event of a missed deadline has a missed deadline": f"""
        SELECT case_id, json_extract(facts, '$.clock'), count(*) FROM entry
        WHERE json_extract(facts, '$.clock') IS NOT NULL GROUP BY 1, 2
        EXCEPT SELECT case_id, kind, count(*) FROM firing
        WHERE kind NOT IN {QUIET} GROUP BY 1, 2""",
    "a deadline is missed again after an hour at the earliest": """
        SELECT f.clock_number, f.generation FROM firing f
        JOIN clock k ON k.number = f.clock_number WHERE f.generation > 1
        AND julianday(f.at) < julianday(k.due_at) + (f.generation - 2) / 24.0 - 1e-6""",
    "the state of a case is that of its last event": """
        SELECT c.code, c.state FROM "case" c WHERE c.state != 'draft' AND c.state != (
        SELECT json_extract(e.facts, '$.state') FROM entry e WHERE e.record_id = c.id
        AND json_extract(e.facts, '$.state') IS NOT NULL ORDER BY e.rowid DESC LIMIT 1)""",
    "an erased case has no key and no sealed document": """
        SELECT c.code FROM "case" c WHERE c.state = 'erased' AND (
        EXISTS (SELECT 1 FROM case_key y WHERE y.case_id = c.id) OR
        EXISTS (SELECT 1 FROM sealed s WHERE s.case_id = c.id))""",
    "an ended or erased case has no open referral": f"""
        SELECT r.id FROM referral r JOIN "case" c ON c.id = r.case_id
        WHERE c.state IN ('void', 'closed', 'erased') AND r.state IN {ALIVE}""",
}

AFTER_A_LOOK: Final[Mapping[str, str]] = {
    "no deadline that is due is unhandled": """
        SELECT number, kind, due_at FROM clock WHERE stopped_at IS NULL
        AND due_at <= :now AND coalesce(fires_at, due_at) <= :now""",
    "every missed deadline is recorded": """
        SELECT k.number, k.kind FROM clock k WHERE k.stopped_at IS NULL
        AND k.due_at <= :now
        AND NOT EXISTS (SELECT 1 FROM firing f WHERE f.clock_number = k.number)""",
    "a desk is admitted beside a lead that missed three deadlines": f"""
        SELECT c.code FROM "case" c JOIN party p ON p.record_id = c.id
        AND p.relation = 'lead' AND p.until IS NULL WHERE c.state IN {LED}
        AND (SELECT count(*) FROM firing f WHERE f.case_id = c.id AND f.at > p.since
             AND f.waits_on = p.focal_point_id AND f.kind IN
             ('review_risk', 'review', 'monitor', 'review_closure')) >= 3
        AND NOT EXISTS (SELECT 1 FROM party d WHERE d.record_id = c.id
             AND d.relation = 'escalation_desk' AND d.until IS NULL)""",
}


def check(scene: Scene, looked: datetime | None) -> None:
    """Check every invariant.

    The invariants of `AFTER_A_LOOK` hold only after the worker has run. `looked` is the
    time at which the worker began, or None if it has not run in this step.
    """
    for what, query in ALWAYS.items():
        found = scene.reader.execute(query).fetchmany(3)
        scene.require(not found, f"This does not hold: {what}: {found}")
    check_consents(scene)
    if looked is None:
        return
    now = {"now": f"{looked.replace(tzinfo=None)}"}
    for what, query in AFTER_A_LOOK.items():
        found = scene.reader.execute(query, now).fetchmany(3)
        scene.require(not found, f"This does not hold: {what}: {found}")


def check_consents(scene: Scene) -> None:
    """Check that each open referral has a consent, unless the person is a child."""
    rows = scene.fetch_rows(f"""
        SELECT c.code, f.code, r.service FROM referral r JOIN "case" c ON c.id = r.case_id
        JOIN focal_point f ON f.id = r.recipient_id WHERE r.state IN {ALIVE}""")
    for code, office, service in rows:
        person = scene.persons.get(code)
        if person is not None and not person.is_child:
            holds = person.can_help(office, service)
            scene.require(holds, f"{office} helps in {code} without a consent")
