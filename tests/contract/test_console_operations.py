"""Tests that docs/console-operations.md lists the console page of each operation."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from app.console.action_forms import ActionForm, RecordKind
from app.console.application import ROUTES
from app.console.case_actions import CASES
from app.console.case_forms import CaseAction
from app.console.emergency_page import REQUEST, STEPS
from app.console.handover_pages import HANDOVERS, OFFER, RELOCATE
from app.console.referral_actions import REFERRALS
from app.console.return_actions import RETURNS
from tests.support.contract import load_contract
from tests.support.raw_requests import list_operations

PAGE: Final = Path(__file__).parents[2] / "docs" / "console-operations.md"
ROW: Final = re.compile(r"^\| `(\w+)` +\| (.+?) +\|$", re.MULTILINE)
NONE, PROGRAMS = "none yet", "for programs"


def read_rows() -> list[tuple[str, str]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def list_form_paths() -> Iterator[tuple[str, str]]:
    """Yield the method and path of each form's request, without the parameter names."""
    for kind in (REFERRALS, HANDOVERS, RETURNS):
        for form in kind.forms.values():
            yield "POST", f"/v1/{kind.path}/{{}}/{form.last_path}"
    for action in list_case_actions(CASES):
        end = "" if action.is_on_record else f"/{action.last_path}"
        yield action.method, f"/v1/cases/{{}}{end}"
    for form in (OFFER, RELOCATE, REQUEST):
        yield "POST", f"/v1/cases/{{}}/{form.last_path}"
    for form in STEPS.values():
        yield "POST", f"/v1/cases/{{}}/emergency-access/{{}}/{form.last_path}"


def list_case_actions(kind: RecordKind) -> Iterator[CaseAction]:
    for form in kind.forms.values():
        assert isinstance(form, CaseAction)
        if not form.page:
            yield from form.variants.values() or (form,)


def strip_names(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def find_operation(method: str, path: str) -> str:
    """Return the id of the operation; a parameter in the path may have a value."""
    for operation in list_operations(load_contract()):
        pattern = strip_names(operation.path).replace("{}", r"(\w|[{}])+")
        if operation.method == method and re.fullmatch(pattern, strip_names(path)):
            return operation.name
    raise AssertionError(f"{method} {path} is not in the contract")


def test_each_operation_of_the_contract_has_one_row() -> None:
    rows = [name for name, _ in read_rows()]
    assert rows == [operation.name for operation in list_operations(load_contract())]


def test_each_page_of_the_table_is_an_address_of_the_console() -> None:
    pages = {page for _, page in read_rows()} - {NONE, PROGRAMS}
    assert pages <= {f"`/console{route.path}`" for route in ROUTES}


@pytest.mark.parametrize(("method", "path"), sorted(set(list_form_paths())))
def test_each_form_sends_an_operation_that_has_a_page(method: str, path: str) -> None:
    assert dict(read_rows())[find_operation(method, path)] not in {NONE, PROGRAMS}


def test_an_operation_without_a_form_is_found() -> None:
    with pytest.raises(AssertionError):
        find_operation("POST", f"/v1/{ActionForm(action='invent').last_path}")
