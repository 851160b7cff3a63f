"""Faults that are planted, and a seed below 100 that finds each: the search has teeth."""

import pytest

from tests.simulation import planted
from tests.simulation.cast import Stage
from tests.simulation.planted import Plant
from tests.simulation.run import play

pytestmark = pytest.mark.slow
FOUND = [
    (planted.fires_apart_from_the_effect, 1, "told as often as it was let pass"),
    (planted.fires_what_nobody_hears, 3, "never came to the desk"),
    (planted.looks_away, 4, "no clock that ran out is left"),
    (planted.forgets_a_key, 4, "another answer to a retry"),
    (planted.misses_a_party, 1, "a party did not hear of"),
    (planted.tells_a_stranger, 1, "somebody who is no party heard"),
    (planted.moves_on_before_it_arrived, 8, "a feed was not pushed as it is"),
    (planted.believes_that_it_left, 2, "nobody was given it"),
    (planted.heeds_no_withdrawal, 29, "the person does not let it"),
    (planted.keeps_the_part, 1, "and its part has ended"),
    (planted.writes_words_in_the_journal, 1, "a word of a person in /events"),
    (planted.erases_nothing, 1, "has no key and nothing sealed"),
    (planted.leaves_two_leads, 15, "has a clock that waits for who has it"),
    (planted.lets_a_case_rest_for_ever, 6, "in somebody's hands"),
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
