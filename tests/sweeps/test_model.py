"""The service behaves as the model does, for any sequence of actions.

Hypothesis generates stories of one case. Each action, even one that must be refused, is
sent to the service over HTTP and performed in the model of tests/support/model. Both must
give the same result. At intervals, both must show one party the same records, states,
deadlines, actions and worklist. Between actions, time passes and the worker runs. At the
end, both must show every party the same, and every party must have received events about
the same missed deadlines.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, override

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.support.effort import Run, choose_number, is_night
from tests.support.model.actions import (
    GROUPS,
    list_case_acts,
    list_referral_acts,
    make_given_consent,
    make_safeguards,
)
from tests.support.model.case_values import (
    ACTORS,
    CONSENTS,
    GONE,
    LAWYER,
    OK,
    POST,
    THE_CASE,
    Consent,
    Model,
    Referral,
)
from tests.support.model.deadlines import start_case_deadline
from tests.support.model.predictions import Act, compute_outcome
from tests.support.model.service import Service, get_verdict
from tests.support.model.views import get_worklist, show_case, show_handover, show_referral
from tests.support.world import World, make_case, unwrap

NAMES: Final = sorted(ACTORS)
RARELY: Final = st.integers(0, 19).map(lambda number: number == 1)
SHARES: Final = choose_number(1, night=10)
"""Number of parts of the stories, which run in parallel, each in its own world."""
STORIES: Final = {
    "sqlite": choose_number(14, sample=6),
    "postgresql": choose_number(6, sample=2),
}
"""Number of stories on each database, drawn with the seed of the run."""
ANEW: Final = "hypothesis-anew"
"""The name of a provider with which Hypothesis draws each story independently.

By default, Hypothesis draws five of six stories by repeating a part of the previous one.
190 stories drawn by default had 542 different actions, by state, actor and result; 100
independent stories have 704.
"""
AVAILABLE_PROVIDERS[ANEW] = AVAILABLE_PROVIDERS["hypothesis"]
ENDED: Final = frozenset({"void", "closed", "erased"})
ENDINGS: Final = frozenset({"referral.revoke", "referral.withdraw", "referral.decline"})
EARLY: Final = 15
LEAP_DAY: Final = datetime(2028, 2, 29, tzinfo=UTC)
EACH: Final = 4
"""Number of steps after which one party's view is compared; all are compared at the end."""
SUBMIT: Final[Act] = ("case.submit", None, False)
ASKED: Final = Referral(LAWYER, "LEGAL_AID", frozenset({"needs"}))
BEGINNING: Final[tuple[Act, ...]] = (
    ("case.acknowledge", None, False),
    ("case.accept_lead", None, False),
    ("referral.open", (ASKED, True), False),
    ("referral.accept", (0,), False),
)
FAR: Final = (None, 0, 1, 2, 2, 3, 4, 4)
"""Numbers of steps of `BEGINNING` with which a story may begin; None means a draft."""
GROUP: Final = (*GROUPS, list_case_acts, list_referral_acts, list_referral_acts)
"""The groups of actions to draw from; some are drawn more often."""
LIKELY: Final = st.integers(0, 3).map(bool)


def list_expected(world: Model, name: str) -> list[Any]:
    """Return a party's view of the case in the model, and the party's worklist."""
    actor = ACTORS[name]
    referrals, handovers = range(len(world.referrals)), range(len(world.handovers))
    return [
        show_case(world, actor),
        *(show_referral(world, one, actor) for one in referrals),
        *(show_handover(world, one, actor) for one in handovers),
        get_worklist(world, actor.focal_point),
    ]


def list_heard(world: Model, name: str) -> list[Any]:
    """Return the missed deadlines in the events that a party receives, as a sorted list."""
    me = ACTORS[name].focal_point
    outside = me == POST and not world.is_party(me)
    mine = [one for one in world.missed_deadlines if me in one.audience]
    return sorted(
        (THE_CASE if one.record[0] == "question" else one.record, one.kind, one.count)
        for one in mine
        if not (outside and one.had_lead)
    )


def is_possible(world: Model, now: datetime, act: Act) -> bool:
    """Return whether an action is possible now. A wait must end before the retention does.

    The end of the retention has its own test (D11). A wait must also end before the leap
    day of 2028, because the 24 months of the model always contain it.
    """
    if act[0] not in {"time.wait", "time.pass"}:
        return True
    clock = world.find_deadline(THE_CASE)
    retained = clock is not None and clock.kind == "erase" and clock.left
    early = now + timedelta(minutes=act[1]) < LEAP_DAY
    return early and (not retained or act[1] < retained)


class Story(RuleBasedStateMachine):
    """One case, and the steps that are taken in it."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service, self.model, self.turn, self.sound = service, Model(), 0, True
        service.begin()

    @initialize(
        kinds=st.lists(st.sampled_from(sorted(CONSENTS)), max_size=5, unique=True),
        level=st.sampled_from(["low", "low", "high", "high", None]),
        far=st.sampled_from(FAR),
    )
    def write(self, kinds: list[str], level: str | None, far: int | None) -> None:
        """Create a draft, or submit a case and take up to `far` steps of `BEGINNING`."""
        if far is not None:
            kinds = sorted({*kinds, "refer", "services"})
        consents = tuple(Consent(kind, POST) for kind in kinds)
        written = Model(consents=consents, risk=(0, level) if level else None)
        self.model = start_case_deadline(written)
        verdict, after = compute_outcome(self.model, ACTORS[POST], SUBMIT)
        body = make_case(
            summary={"priority": "emergency"},
            consents=[make_given_consent(kind) for kind in kinds],
            risk={"level": level} if level else None,
            safeguards=make_safeguards("nothing"),
        )
        if far is not None:
            assert get_verdict(self.service.create_case(body | {"submit": True})) == verdict
        if far is None or verdict != OK:
            unwrap(self.service.create_case(body))
            return
        self.model = after
        for act in BEGINNING[:far]:
            helps = act[0] == "referral.accept"
            if not self.take(LAWYER if helps else self.model.holder or POST, act):
                break

    @rule(data=st.data(), likely=LIKELY, ends=RARELY, group=st.sampled_from(GROUP))
    def act(self, data: st.DataObject, likely: bool, ends: bool, group: Any) -> None:
        """Take a step that is usually allowed and rarely ends the story."""
        now = self.service.world.now
        acts = [act for act in group(self.model) if is_possible(self.model, now, act)]
        acts = acts or list(list_case_acts(self.model))
        chosen = [(name, act) for name in NAMES for act in acts]
        if likely:
            ends = ends and self.turn > EARLY
            able = self.able(acts, ends=ends)
            able = able or self.able(list_case_acts(self.model), ends=ends)
            chosen = able or chosen
        action = data.draw(st.sampled_from(sorted({act[0] for _, act in chosen})))
        some = [(name, act) for name, act in chosen if act[0] == action]
        self.take(*data.draw(st.sampled_from(some)))

    def take(self, name: str, act: Act) -> bool:
        """Take a step in the service and in the model, and return whether it was allowed.

        The two results must be equal. At regular intervals, the view of one party is
        compared too.
        """
        verdict, self.model = compute_outcome(self.model, ACTORS[name], act)
        self.sound = False
        assert self.service.does(name, act) == verdict, (name, act)
        self.compare_answer(name)
        self.sound = True
        self.turn += 1
        if act[0] == "time.wait":
            self.compare(self.model.holder or POST)
        elif self.turn % EACH == 0:
            self.compare(NAMES[self.turn // EACH % len(NAMES)])
        return verdict in {OK, GONE}

    def able(self, acts: Iterable[Act], *, ends: bool) -> list[tuple[str, Act]]:
        """Return the actions that the model allows, each with its party."""
        parts = [name for name in NAMES if self.model.get_parts(ACTORS[name].focal_point)]
        some = [act for act in acts if ends or act[0] not in ENDINGS]
        able = [(name, act) for act in some for name in parts]
        return [one for one in able if self.may(*one, ends=ends)]

    def may(self, name: str, act: Act, *, ends: bool) -> bool:
        """Return whether a party may take a step.

        A step that ends the story is allowed only if `ends` is true.
        """
        verdict, after = compute_outcome(self.model, ACTORS[name], act)
        return verdict in {OK, GONE} and (ends or after.state not in ENDED)

    def compare_answer(self, name: str) -> None:
        """Compare the record in the last response, if there is one, with the model."""
        told, actor = self.service.told, ACTORS[name]
        match told:
            case {"code": _}:
                expected = show_case(self.model, actor)
            case {"id": one, "service": _}:
                number = self.service.ids["referral"].index(one)
                expected = show_referral(self.model, number, actor)
            case {"id": one, "to": _}:
                number = self.service.ids["handover"].index(one)
                expected = show_handover(self.model, number, actor)
            case _:
                return
        assert self.service.format_record(told) == expected, name

    def compare(self, name: str) -> None:
        """Compare the view of one party with the model."""
        self.sound = False
        pairs = zip(
            self.service.show_all(name), list_expected(self.model, name), strict=True
        )
        different = [(name, *pair) for pair in pairs if pair[0] != pair[1]]
        assert not different, different
        self.sound = True

    @override
    def teardown(self) -> None:
        """Compare each party's view and missed deadlines with the model at the end."""
        for name in NAMES if self.service.code and self.sound else ():
            if self.model.get_parts(ACTORS[name].focal_point):
                self.compare(name)
                misses = sorted(self.service.list_misses(name))
                assert misses == list_heard(self.model, name), name


@pytest.fixture
def service(world: World) -> Service:
    """Return the service with an account for each actor."""
    return Service(world)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.parametrize("_share", range(SHARES))
def test_the_service_does_what_the_model_says(service: Service, _share: int) -> None:
    kind = service.world.database.engine.dialect.name
    stories = settings(
        max_examples=choose_number(STORIES[kind], night=5000 // SHARES),
        stateful_step_count=choose_number(30, night=60),
        deadline=None,
        report_multiple_bugs=False,
        database=None,
        backend=ANEW,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )

    class OfService(Story):
        def __init__(self) -> None:
            super().__init__(service)

    if not is_night():
        seed(f"{Run.seed} {kind}")(OfService)
    run_state_machine_as_test(OfService, settings=stories)


@pytest.mark.slow
def test_a_withdrawal_by_a_feared_submitter_ends_no_help(service: Service) -> None:
    story, leads = Story(service), "KZ_CASEWORKER"
    Story.write(story, kinds=[], level="low", far=len(BEGINNING))
    steps: list[tuple[str, Act]] = [
        (LAWYER, ("referral.start", (0,), False)),
        (leads, ("safeguards.write", "blocked", False)),
        (POST, ("consent.withdraw", 1, False)),
        (leads, ("case.suspend", None, False)),
        (leads, ("case.resume", None, False)),
    ]
    assert all(story.take(name, act) for name, act in steps)
    assert story.model.state == "assisting"
    story.teardown()
