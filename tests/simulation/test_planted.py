"""Planted faults, and for each a seed below 100 that finds it."""

import pytest

from tests.simulation import planted
from tests.simulation.cast import Stage
from tests.simulation.planted import Plant
from tests.simulation.run import play

pytestmark = pytest.mark.slow
FOUND = [
    (planted.fires_apart_from_the_effect, 1, "every missed deadline is an event"),
    (planted.fires_what_nobody_hears, 3, "the desk never got"),
    (planted.looks_away, 4, "no deadline that is due is unhandled"),
    (planted.forgets_a_key, 4, "another answer to a retry"),
    (planted.misses_a_party, 1, "a party was not told of"),
    (planted.tells_a_stranger, 1, "an office that is no party was told"),
    (planted.moves_on_before_it_arrived, 8, "received something else than the feed"),
    (planted.believes_that_it_left, 2, "but was not received"),
    (planted.heeds_no_withdrawal, 29, "without a consent"),
    (planted.keeps_the_part, 1, "but its part has ended"),
    (planted.writes_words_in_the_journal, 1, "sealed text in /events"),
    (planted.erases_nothing, 1, "has no key and no sealed document"),
    (planted.leaves_two_leads, 15, "has a deadline of its holder"),
    (planted.lets_a_case_rest_for_ever, 6, "an open case has a holder"),
]


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("plant", "seed", "said"), FOUND, ids=[plant.__name__ for plant, *_ in FOUND]
)
def test_a_fault_is_found_by_its_seed(
    made: Stage, monkeypatch: pytest.MonkeyPatch, plant: Plant, seed: int, said: str
) -> None:
    plant(monkeypatch)

    assert said in play(made, seed).broken


def test_every_fault_that_can_be_planted_is() -> None:
    assert [plant for plant, *_ in FOUND] == list(planted.PLANTS)
