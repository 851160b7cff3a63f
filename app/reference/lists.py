"""The lists an officer chooses from and is guided by: read once, judged whole.

Every item names its source and how well it is sourced. What no source says is not served:
there is no list of questions but of those that were found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from app.directory.files import open_sheet, refuse, rows
from app.reference.rows import IndicatorRow, ItemRow
from app.reference.schemas import ItemOut, ReferenceList, Weights

LABEL: Final = "label_"


@dataclass(frozen=True)
class About:
    """What a list is for, and where it is from."""

    title: str
    note: str


# fmt: off
LISTS: Final[Mapping[str, About]] = {
    "intake_ways": About(
        "How a consulate learns of a case",
        "Four ways, named by UNODC when it trained consular officers of Uzbekistan (16 June 2022)."),
    "questions": About(
        "What is asked before and in a first interview, and what is not",
        "Groups: BEFORE, MUST_ASK, MAY_ASK, DO_NOT_ASK. Only what a source says: no questionnaire could be read, so none is here."),
    "conduct": About(
        "What is done, and what never, when a person is met",
        "Groups: DO, NEVER."),
    "indicators": About(
        "Signs that may be seen",
        "ILO Delphi indicators of trafficking for labour, with weights; UNODC (a part of its list) and ILO forced-labour indicators "
        "without weights, which are noted and do not count. Weights for sexual exploitation, and the UNODC groups for children, "
        "labour, domestic servitude and begging, were not found."),
    "dimensions": About(
        "What the ILO's indicators are grouped by",
        "The group is the element that a positive dimension speaks for."),
    "elements": About(
        "Act, means and purpose",
        "Article 3 of the Palermo Protocol. Under 18 no means is needed; consent is irrelevant once a means is used."),
    "scoring_rules": About(
        "How signs are read",
        "A result is a presumption, never a finding, and help never waits for it."),
    "services": About(
        "What a person may be referred for",
        "A proposal of this mechanism; the source says where each is taken from."),
    "decline_reasons": About("Why a focal point says no", "A proposal of this mechanism."),
    "withdraw_reasons": About("Why something sent is taken back", "A proposal of this mechanism."),
    "closure_reasons": About("Why a case ends", "A proposal of this mechanism."),
    "suspend_reasons": About("Why a case is suspended", "A proposal of this mechanism."),
    "handover_reasons": About("Why the lead is handed over", "A proposal of this mechanism."),
}
# fmt: on


def read[R: ItemRow](name: str, model: type[R]) -> dict[str, R]:
    """Read one list, by code and in the order of its file; raises FilesRefused."""
    sheet = open_sheet(files("app.reference").joinpath("data"), f"{name}.csv", model)
    refuse(sheet.faults)
    return {row.code: row for row in rows(sheet)}


INDICATORS: Final[Mapping[str, IndicatorRow]] = read("indicators", IndicatorRow)
ITEMS: Final[Mapping[str, Mapping[str, ItemRow]]] = {
    name: INDICATORS if name == "indicators" else read(name, ItemRow) for name in LISTS
}


def show(name: str) -> ReferenceList:
    """Show one list, whole."""
    about = LISTS[name]
    items = [show_item(row) for row in ITEMS[name].values()]
    return ReferenceList(list=name, title=about.title, note=about.note, items=items)


def show_item(row: ItemRow) -> ItemOut:
    """Show one code; a column `label_ru` would be a label more."""
    columns = row.model_dump()
    labels = {
        name.removeprefix(LABEL).replace("_", "-"): text
        for name, text in columns.items()
        if name.startswith(LABEL) and text
    }
    return ItemOut(
        code=row.code,
        labels=labels,
        group=row.group,
        note=row.note,
        element=columns.get("element"),
        weights=weights_of(row),
        source=row.source,
        confidence=row.confidence,
    )


def weights_of(row: ItemRow) -> Weights | None:
    """Say what it weighs, if it weighs anything."""
    if not isinstance(row, IndicatorRow) or row.element is None:
        return None
    return Weights(adult=row.weight_adult, child=row.weight_child)
