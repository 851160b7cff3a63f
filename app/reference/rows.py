"""The rows of reference files, and what each cell must be; read as directory files are."""

from typing import Annotated

from pydantic import BeforeValidator

from app.directory.cells import Known, Prose, known_or_none
from app.directory.rows import Row
from app.kernel.text import Code
from app.reference.kinds import Element, Weight


class ItemRow(Row):
    """One code, in words of its source; a language more is a column more."""

    code: Code
    label_en: Prose
    group: Annotated[Code | None, BeforeValidator(known_or_none)]
    note: Known[Prose]
    source: Known[Prose]
    confidence: Prose


class IndicatorRow(ItemRow):
    """One sign that may be seen; without weights it is noted, and does not count."""

    element: Known[Element]
    weight_adult: Known[Weight]
    weight_child: Known[Weight]
