"""Tests that the simulation finds each planted fault with the seed in the table."""

import pytest

from tests.simulation import planted_faults
from tests.simulation.cast import Stage
from tests.simulation.planted_faults import Plant
from tests.simulation.play import play_seed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("invented_events")]
FOUND = [
    (planted_faults.plant_early_record, 1, "every missed deadline is an event"),
    (planted_faults.plant_missing_escalation, 3, "the desk never got"),
    (planted_faults.plant_unhandled_deadline, 4, "no deadline that is due is unhandled"),
    (planted_faults.plant_forgotten_key, 4, "another answer to a retry"),
    (planted_faults.plant_missed_party, 1, "a party was not told of"),
    (planted_faults.plant_leaked_event, 1, "an office that is no party was told"),
    (planted_faults.plant_early_position, 8, "received something else than the feed"),
    (planted_faults.plant_false_delivery, 2, "but was not received"),
    (planted_faults.plant_ignored_withdrawal, 29, "without a consent"),
    (planted_faults.plant_kept_access, 1, "but its part has ended"),
    (planted_faults.plant_text_in_journal, 1, "sealed text in /events"),
    (planted_faults.plant_kept_key, 1, "has no key and no sealed document"),
    (planted_faults.plant_two_leads, 15, "has a deadline of its holder"),
    (planted_faults.plant_missing_deadline, 6, "an open case has a holder"),
]


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("plant", "seed", "said"), FOUND, ids=[plant.__name__ for plant, *_ in FOUND]
)
def test_a_fault_is_found_by_its_seed(
    made: Stage, monkeypatch: pytest.MonkeyPatch, plant: Plant, seed: int, said: str
) -> None:
    plant(monkeypatch)

    assert said in play_seed(made, seed).failure


def test_every_fault_that_can_be_planted_is() -> None:
    assert [plant for plant, *_ in FOUND] == list(planted_faults.PLANTS)
