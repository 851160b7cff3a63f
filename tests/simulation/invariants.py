"""What must hold after every step, whatever the seed: each a search for what breaks it.

Written from LIFECYCLES.md (1, 2, 5 and 7) and API.md, never from the code. It looks at the
tables behind the service, which are the same whoever asks.
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
"""Clocks whose end nobody is told."""
HOLDER: Final = """
    SELECT p.focal_point_id FROM party p WHERE p.record_id = c.id AND p.until IS NULL
    AND p.relation IN ('lead', 'candidate', 'desk')
    ORDER BY CASE p.relation WHEN 'lead' THEN 0 WHEN 'candidate' THEN 1 ELSE 2 END LIMIT 1
"""
RUNNING: Final = "FROM clock k WHERE k.record_id = {0}.id AND k.stopped_at IS NULL"
OF_CASE: Final = RUNNING.format("c")

ALWAYS: Final[Mapping[str, str]] = {
    "an open case is in somebody's hands": f"""
        SELECT c.code FROM "case" c WHERE c.state IN {OPEN} AND ({HOLDER}) IS NULL""",
    "an open case has a clock that waits for who has it": f"""
        SELECT c.code, c.state FROM "case" c WHERE c.state IN {OPEN}
        AND NOT EXISTS (SELECT 1 {OF_CASE} AND k.waits_on = ({HOLDER}))""",
    "a draft, and what is over, has a clock until it is dropped or erased": f"""
        SELECT c.code, c.state FROM "case" c WHERE c.state IN ('draft', 'closed', 'void')
        AND (SELECT count(*) {OF_CASE}) != 1""",
    "nothing of what was erased waits for anybody": """
        SELECT c.code FROM "case" c JOIN clock k ON k.case_id = c.id
        WHERE c.state = 'erased' AND k.stopped_at IS NULL""",
    "a case has one lead at the most, and while it is led exactly one": f"""
        SELECT c.code, c.state FROM "case" c WHERE
        (SELECT count(*) FROM party p WHERE p.record_id = c.id AND p.relation = 'lead'
         AND p.until IS NULL) NOT BETWEEN (c.state IN {LED}) AND 1""",
    "a referral that is under way has a clock, unless its case rests": f"""
        SELECT r.id, r.state FROM referral r JOIN "case" c ON c.id = r.case_id
        WHERE r.state IN {ALIVE} AND c.state != 'suspended'
        AND NOT EXISTS (SELECT 1 {RUNNING.format("r")} AND k.waits_on IS NOT NULL)""",
    "a lead on offer has a clock": f"""
        SELECT h.id FROM handover h WHERE h.state = 'offered'
        AND NOT EXISTS (SELECT 1 {RUNNING.format("h")})""",
    "no more clocks run than there are things to wait for": """
        SELECT c.code, count(*) AS many FROM clock k JOIN "case" c ON c.id = k.case_id
        WHERE k.stopped_at IS NULL GROUP BY c.id
        HAVING many > 3 + (SELECT count(*) FROM referral r WHERE r.case_id = c.id)
        + (SELECT count(*) FROM handover h WHERE h.case_id = c.id AND h.state = 'offered')
        + (SELECT count(*) FROM approval a WHERE a.case_id = c.id)
        + (SELECT count(*) FROM consent s
           WHERE s.case_id = c.id AND s.withdrawn_at IS NULL)""",
    "a record has one running clock at the most": """
        SELECT record_id FROM clock WHERE stopped_at IS NULL
        GROUP BY record_id HAVING count(*) > 1""",
    "a feed goes from 1 to its head without a gap": """
        SELECT m.focal_point_id, m.head, count(d.position), max(d.position)
        FROM mailbox m LEFT JOIN delivery d USING (focal_point_id) GROUP BY 1
        HAVING count(d.position) != m.head OR coalesce(max(d.position), 0) != m.head
        OR coalesce(min(d.position), 1) != 1""",
    "nobody hears of anything twice": """
        SELECT entry_id FROM delivery GROUP BY entry_id, focal_point_id
        HAVING count(*) > 1""",
    "what was let pass is told as often as it was let pass": f"""
        SELECT case_id, kind, count(*) FROM firing WHERE kind NOT IN {QUIET} GROUP BY 1, 2
        EXCEPT SELECT case_id, json_extract(facts, '$.clock'), count(*) FROM entry
        WHERE json_extract(facts, '$.clock') IS NOT NULL GROUP BY 1, 2""",
    "nothing is told as let pass that was not": f"""
        SELECT case_id, json_extract(facts, '$.clock'), count(*) FROM entry
        WHERE json_extract(facts, '$.clock') IS NOT NULL GROUP BY 1, 2
        EXCEPT SELECT case_id, kind, count(*) FROM firing
        WHERE kind NOT IN {QUIET} GROUP BY 1, 2""",
    "a clock is let pass again after an hour at the soonest": """
        SELECT f.clock_number, f.generation FROM firing f
        JOIN clock k ON k.number = f.clock_number WHERE f.generation > 1
        AND julianday(f.at) < julianday(k.due_at) + (f.generation - 2) / 24.0 - 1e-6""",
    "what the journal says of a case is where it stands": """
        SELECT c.code, c.state FROM "case" c WHERE c.state != 'draft' AND c.state != (
        SELECT json_extract(e.facts, '$.state') FROM entry e WHERE e.record_id = c.id
        AND json_extract(e.facts, '$.state') IS NOT NULL ORDER BY e.rowid DESC LIMIT 1)""",
    "what is erased has no key and nothing sealed": """
        SELECT c.code FROM "case" c WHERE c.state = 'erased' AND (
        EXISTS (SELECT 1 FROM case_key y WHERE y.case_id = c.id) OR
        EXISTS (SELECT 1 FROM sealed s WHERE s.case_id = c.id))""",
    "what is over or erased has nobody's help under way": f"""
        SELECT r.id FROM referral r JOIN "case" c ON c.id = r.case_id
        WHERE c.state IN ('void', 'closed', 'erased') AND r.state IN {ALIVE}""",
}

AFTER_A_LOOK: Final[Mapping[str, str]] = {
    "no clock that ran out is left": """
        SELECT number, kind, due_at FROM clock WHERE stopped_at IS NULL
        AND due_at <= :now AND coalesce(fires_at, due_at) <= :now""",
    "whoever let a time pass was found out": """
        SELECT k.number, k.kind FROM clock k WHERE k.stopped_at IS NULL
        AND k.due_at <= :now
        AND NOT EXISTS (SELECT 1 FROM firing f WHERE f.clock_number = k.number)""",
    "a lead that let three times pass has a desk beside it": f"""
        SELECT c.code FROM "case" c JOIN party p ON p.record_id = c.id
        AND p.relation = 'lead' AND p.until IS NULL WHERE c.state IN {LED}
        AND (SELECT count(*) FROM firing f WHERE f.case_id = c.id AND f.at > p.since
             AND f.waits_on = p.focal_point_id AND f.kind IN
             ('review_risk', 'review', 'monitor', 'review_closure')) >= 3
        AND NOT EXISTS (SELECT 1 FROM party d WHERE d.record_id = c.id
             AND d.relation = 'escalation_desk' AND d.until IS NULL)""",
}


def check(scene: Scene, looked: datetime | None) -> None:
    """Search for whatever breaks an invariant.

    What only holds once the worker has looked is searched for as of when it began to.
    """
    for what, query in ALWAYS.items():
        found = scene.look.execute(query).fetchmany(3)
        scene.must(not found, f"It does not hold that {what}: {found}")
    consented(scene)
    if looked is None:
        return
    now = {"now": f"{looked.replace(tzinfo=None)}"}
    for what, query in AFTER_A_LOOK.items():
        found = scene.look.execute(query, now).fetchmany(3)
        scene.must(not found, f"It does not hold that {what}: {found}")


def consented(scene: Scene) -> None:
    """Help that is under way rests on a consent that stands, or on a child's needs."""
    rows = scene.rows(f"""
        SELECT c.code, f.code, r.service FROM referral r JOIN "case" c ON c.id = r.case_id
        JOIN focal_point f ON f.id = r.recipient_id WHERE r.state IN {ALIVE}""")
    for code, office, service in rows:
        person = scene.persons.get(code)
        if person is not None and not person.is_child:
            holds = person.lets_help(office, service)
            scene.must(holds, f"{office} helps in {code}, and the person does not let it")
