"""A restored database has a new epoch, which shows that older cursors are invalid."""

import re

from app.kernel.journal import create_epoch


def test_each_restoration_has_a_short_name_of_its_own() -> None:
    names = {create_epoch() for _ in range(20)}

    assert len(names) == 20
    assert all(re.fullmatch("[0-9a-f]{8}", name) for name in names)
