"""The page on privacy decides for every table whether it outlives an erasure."""

import re
from pathlib import Path
from typing import Final

from app.kernel.db import Base
from tests.erased import TELLING

PAGE: Final = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")
ROW: Final = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def test_every_table_is_decided_once() -> None:
    told = [name for name, _ in ROW.findall(PAGE)]

    assert sorted(told) == sorted(Base.metadata.tables)


def test_the_page_calls_erased_what_is() -> None:
    erased = {name for name, fate in ROW.findall(PAGE) if fate.startswith("erased")}

    assert erased == {table.__tablename__ for table in TELLING}
