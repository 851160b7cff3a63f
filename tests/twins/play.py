"""Play a seed in two worlds that differ in a secret, and compare the observations."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import bindparam, select

from app.cli.sender_wiring import build_notification_channel
from app.deadlines.missed_deadlines import find_oldest
from app.kernel.actors import SERVICE
from app.notifications.words import NotificationMessage
from app.outbox.actions import Answer
from app.outbox.lifecycle import OPEN
from app.outbox.models import MessageChannel, Outgoing
from app.outbox.pacing import Outcome
from app.worker.jobs import DEADLINE_JOB, run_once
from app.worker.outbox_job import Senders, send_by_way
from tests.databases.failpoints.copies import Copies
from tests.twins.cast import COALITION, Cast, RealCase
from tests.twins.cells import CELLS, OBSERVABLE, Cell
from tests.twins.differences import Difference, list_differences
from tests.twins.invented import HISTORIES, prepare_coalition
from tests.twins.observers import (
    Coalition,
    find_due_time,
    look,
    make_move,
    poll,
    probe,
    read_probes,
)
from tests.twins.real_cases import build_real_case
from tests.twins.secret_acts import STEPS, Act, Steps, run_act

PATIENCE: Final = 0.3
"""The share of seeds in which the coalition waits before the secret acts."""
WINDOW: Final = timedelta(minutes=30)
PRIORITIES: Final = ("normal", "urgent", "emergency")
QUEUED: Final = (
    select(Outgoing.id).where(Outgoing.state.in_(OPEN), Outgoing.due_at <= bindparam("now"))
).limit(1)
"""A query for a message that is due."""


def accept_message(_: NotificationMessage) -> Answer:
    return Answer(Outcome.DELIVERED, "250")


SENDERS: Final = Senders(
    {way: build_notification_channel(accept_message, None) for way in MessageChannel},
    WINDOW,
)


@dataclass(frozen=True)
class Template:
    """A copy of a database with real and invented cases, and the time of the copy."""

    name: str
    now: datetime
    real: Mapping[str, RealCase]
    invented: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What a seed plays: the cells, and the two variants of the secret."""

    seed: int
    cells: tuple[Cell, ...]
    variants: tuple[str, str]

    @property
    def secret(self) -> str:
        return self.cells[0].secret


@dataclass(frozen=True)
class Result:
    """The result of a seed: how many answers were compared, and the first difference.

    `accepted` is the number of accepted requests of the coalition that change something.
    """

    plan: Plan
    answers: int
    accepted: int
    difference: Difference | None


def draw_plan(seed: int) -> Plan:
    """Draw what a seed plays. Consecutive seeds take the cells in turn."""
    chance = Random(f"plan {seed}")
    first = CELLS[seed % len(CELLS)]
    one, other = chance.sample(first.variants, 2)
    beside = [
        cell
        for cell in CELLS
        if cell.secret == first.secret
        and cell.relation != first.relation
        and {one, other} <= set(cell.variants)
    ]
    more = chance.sample(beside, min(len(beside), chance.choice((0, 1, 2))))
    return Plan(seed, (first, *more), (one, other))


class Stage:
    """A world with templates of its database, in which seeds are played."""

    def __init__(self, cast: Cast, copies: Copies) -> None:
        self.cast, self.copies = cast, copies
        self.began = cast.world.now
        self.templates: dict[str, Template] = {}
        copies.keep("cast")

    def load_template(self, history: str, priority: str) -> None:
        """Restore the template with a history, and build it first if necessary."""
        name = f"{history} {priority}"
        if name not in self.templates:
            self.restore(Template("cast", self.began, {}, {}))
            prepare_coalition(self.cast, history, priority)
            self.templates[name] = self.store(name)
        self.restore(self.templates[name])

    def prepare(self, plan: Plan) -> Template:
        """Build the real cases of a seed, and return the start of both worlds."""
        chance = Random(f"shape {plan.seed}")
        priority = chance.choice(PRIORITIES)
        self.load_template(chance.choice(HISTORIES), priority)
        for cell in plan.cells:
            of_real = chance.choice((priority, priority, *PRIORITIES))
            real = build_real_case(self.cast, cell.relation, chance, of_real)
            self.cast.real[cell.relation] = real
            self.cast.world.advance(minutes=chance.randint(1, 30))
        return self.store("seed")

    def store(self, name: str) -> Template:
        self.copies.keep(name)
        cast = self.cast
        return Template(name, cast.world.now, dict(cast.real), dict(cast.invented))

    def restore(self, template: Template) -> None:
        cast = self.cast
        self.copies.back(template.name)
        cast.world.now, cast.invented = template.now, dict(template.invented)
        cast.real = {name: copy(real) for name, real in template.real.items()}


@dataclass
class Run:
    """A run of one of the two worlds of a seed."""

    stage: Stage
    plan: Plan
    side: int
    mine: Coalition
    acts: list[Steps]

    @property
    def seed(self) -> str:
        return f"twins {self.plan.seed}"

    def draw(self) -> Random:
        """Return a source of choices that are the same in both worlds."""
        return Random(f"{self.seed} step {len(self.mine.observed)}")

    def look(self, many: int) -> None:
        look(self.mine, self.draw(), many)

    def move(self, many: int = 1, *, prepares: bool = False) -> None:
        for _ in range(many):
            make_move(self.mine, self.draw(), prepares=prepares)

    def advance(self, low: float, high: float, *, every: float = 0.0) -> None:
        """Let time pass, in seconds, and run the worker."""
        length = self.draw().uniform(low, high)
        step = every or length
        while length > 0:
            self.stage.cast.world.now += timedelta(seconds=round(min(step, length)))
            length -= step
            self.run_worker()

    def run_worker(self) -> None:
        """Handle the missed deadlines, and send the notifications."""
        world, ids = self.stage.cast.world, self.stage.cast.ids
        ids.begin(f"{self.seed} worker {world.now}")
        with world.database.begin_read(SERVICE) as session:
            is_late = find_oldest(session, world.now) is not None
            is_queued = session.scalar(QUEUED, {"now": world.now}) is not None
        while is_late and run_once(world.runtime, DEADLINE_JOB):
            is_queued = True
        for way in MessageChannel if is_queued else ():
            send_by_way(world.runtime, SENDERS, way)

    def act(self) -> None:
        """Let each real case take its next secret step."""
        for number, act in enumerate(self.acts):
            label = f"{self.seed} secret {number} {len(self.mine.observed)} {self.side}"
            self.stage.cast.ids.begin(label)
            next(act, None)

    def play(self) -> None:
        """Act in secret, and observe within a minute, after hours, and after days."""
        self.prepare()
        for _ in range(STEPS):
            for office in COALITION:
                poll(self.mine, office)
            self.mine.wait_for_events()
            self.act()
            self.mine.end_waiting()
            self.stage.cast.world.now += timedelta(seconds=self.draw().randint(1, 59))
            self.look(8)
            self.move(self.draw().randint(0, 1))
        self.advance(20, 90)
        probe(self.mine, self.draw())
        self.look(8)
        self.move(2)
        self.advance(20, 300)
        read_probes(self.mine)
        self.look(4)
        self.wait_for_probes()
        self.look(8)
        self.move(1)
        self.advance(3600, 4 * 3600, every=600)
        self.look(9)
        self.advance(16 * 3600, 28 * 3600, every=6 * 3600)
        self.look(8)
        self.move(1)
        self.advance(2 * 86400, 9 * 86400, every=3 * 86400)
        self.look(20)

    def wait_for_probes(self) -> None:
        """Let time pass until the requests of the probe are late, and read what followed.

        Requests of real cases that are a few minutes older become late a moment earlier.
        """
        due_at = find_due_time(self.mine)
        if due_at:
            left = (due_at - self.stage.cast.world.now).total_seconds() - 60
            self.advance(left, left, every=max(900, left / 4))
        self.advance(90, 600)
        read_probes(self.mine)

    def prepare(self) -> None:
        """Let the coalition invent requests, of which some are soon due to be answered."""
        self.move(2, prepares=True)
        if self.draw().random() < PATIENCE:
            self.advance(2400, 3540, every=600)
        self.advance(10, 300)


def play_seed(stage: Stage, seed: int) -> Result:
    """Play a seed in two worlds, and compare what the coalition observes."""
    plan = draw_plan(seed)
    start = stage.prepare(plan)
    one, other = (play_side(stage, plan, start, side) for side in (0, 1))
    found = list_differences(one.observed, other.observed)
    hidden = (each for each in found if not is_observable(plan, each))
    answers = len(one.observed) + len(other.observed)
    return Result(plan, answers, one.accepted + other.accepted, next(hidden, None))


def play_side(stage: Stage, plan: Plan, start: Template, side: int) -> Coalition:
    """Play one of the two worlds of a seed, and return the coalition that observes it."""
    stage.restore(start)
    cast, variant = stage.cast, plan.variants[side]
    relations = tuple(cell.relation for cell in plan.cells)
    mine = Coalition(cast, f"twins {plan.seed}", relations)
    acts = [
        run_act(
            Act(cast, cast.real[one], Random(f"secret {plan.seed}")), plan.secret, variant
        )
        for one in relations
    ]
    Run(stage, plan, side, mine, acts).play()
    return mine


def is_observable(plan: Plan, difference: Difference) -> bool:
    """Return whether a difference is listed as one that remains observable."""
    relations = {cell.relation for cell in plan.cells}
    return any(
        one.secret == plan.secret
        and one.relation in relations
        and one.field == difference.place
        for one in OBSERVABLE
    )
