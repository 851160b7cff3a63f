"""A migration adds missing deadlines of older consents, and brings others forward."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.consents.models import Consent
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.kernel import migrations
from app.kernel.actors import SERVICE
from tests.support.protection import protect_rows
from tests.support.world import (
    Json,
    Someone,
    World,
    make_consent,
    make_service_consent,
    unwrap,
)

GUARDIAN = {"given_by": "guardian_with_assent"}


def list_deadlines(world: World) -> dict[Any, datetime]:
    """Return the time at which each running consent deadline is due, by consent id."""
    with world.database.begin_read(SERVICE) as session:
        running = Clock.stopped_at.is_(None) & (Clock.kind == DeadlineKind.CONSENT_ENDS)
        return {
            c.record_id: c.due_at for c in session.scalars(select(Clock).where(running))
        }


def list_ends(world: World) -> dict[Any, datetime]:
    """Return the end of each consent by its id."""
    with world.database.begin_read(SERVICE) as session:
        return {one.id: one.expires_at for one in session.scalars(select(Consent))}


def upgrade_again(world: World) -> None:
    """Undo the tested migration and all later ones, and apply them again."""
    migrations.downgrade(world.url, "0034")
    migrations.upgrade(world.url)
    protect_rows(world.runtime)


def test_each_consent_that_stands_in_an_open_case_gets_a_deadline(
    world: World, officer: Someone, lead: Someone
) -> None:
    now = datetime.now(UTC)
    world.now = now
    today = {"obtained_on": f"{now:%F}"}

    def given(days: int, **changes: Any) -> Json:
        """Return a consent that ends in this many days."""
        return make_consent(
            expires_at=f"{now + timedelta(days=days):%FT%TZ}", **today, **changes
        )

    far = given(100)
    near = given(5, purposes=["SHELTER"])
    gone = given(100, purposes=["LEGAL_AID"])
    case = lead.take_lead(officer.submit(consents=[far, near, gone]))
    listed = unwrap(lead.get(f"/cases/{case['code']}/consents"))["items"]
    [taken_back] = [one for one in listed if one["purposes"] == ["LEGAL_AID"]]
    unwrap(lead.send(f"/cases/{case['code']}/consents/{taken_back['id']}/withdraw"))
    draft = unwrap(officer.create_case(consents=[given(100)]))
    child = officer.submit(consents=[given(90, **GUARDIAN)], summary={"age_class": "child"})
    with world.database.begin_write(SERVICE) as session:
        of_ends = update(Clock).where(Clock.kind == DeadlineKind.CONSENT_ENDS)
        session.execute(of_ends.values(stopped_at=now))
        session.execute(update(Consent).values(recorded_at=now - timedelta(days=30)))

    upgrade_again(world)

    found, until = list_deadlines(world), list_ends(world)
    days = sorted(round((due - now) / timedelta(days=1), 1) for due in found.values())
    assert draft["state"] == "draft"
    assert child["state"] == "submitted"
    assert days == [0.0, 76.0, 86.0]
    assert all(until[one] > due for one, due in found.items())
    world.wait(hours=2)
    [event] = [e for e in lead.poll() if e["type"] == "consent.expiring"]
    assert (event["facts"]["days"], len(list_deadlines(world))) == (14, 3)


def test_a_deadline_that_runs_comes_before_the_end_from_now_on(
    world: World, officer: Someone
) -> None:
    now = datetime.now(UTC)
    world.now = now
    end = now.replace(microsecond=0) + timedelta(days=60)
    yes = make_service_consent(
        **GUARDIAN, expires_at=f"{end:%FT%TZ}", obtained_on=f"{now:%F}", purposes=["REFER"]
    )
    officer.submit(consents=[yes], summary={"age_class": "child"})
    with world.database.begin_write(SERVICE) as session:
        of_ends = update(Clock).where(Clock.kind == DeadlineKind.CONSENT_ENDS)
        session.execute(of_ends.values(due_at=end))

    upgrade_again(world)

    assert list(list_deadlines(world).values()) == [end - timedelta(days=14)]
