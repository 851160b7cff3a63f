"""Tests of the opening hours of offices, in their own time zones."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from pydantic_core import PydanticCustomError

from app.directory.cell_types import parse_span
from app.directory.opening_hours import is_open, is_valid_span

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "word",
    [
        "always",
        "mo/00:00-24:00",
        "mo-su/00:00-00:01",
        "fr/20:00-24:00",
        "mo-fr/09:00-18:00",
        "sa-sa/23:58-23:59",
        "su-th/09:00-17:00",
        "fr-mo/09:00-18:00",
        "tu-mo/00:00-24:00",
    ],
)
def test_hours_are_spelled_so(word: str) -> None:
    assert is_valid_span(word)


@pytest.mark.parametrize(
    "word",
    [
        "",
        "never",
        "Always",
        "mo",
        "mo-fr",
        "09:00-18:00",
        "mo-fr/9:00-18:00",
        "mo-fr/18:00-09:00",
        "mo/09:00-09:00",
        "su-th/18:00-09:00",
        "mo/00:00-24:01",
        "mo/25:00-26:00",
        "mo/09:60-10:00",
        "xx/09:00-18:00",
        "mo-fr/09:00-18:00 ",
        "mo-fr/09:00-18:00\n",
        "mo,tu/09:00-18:00",
        "mo-tu-we/09:00-18:00",
        "mo/٠٩:00-18:00",
        "mo/24:00-24:00",
    ],
)
def test_hours_are_not_spelled_so(word: str) -> None:
    assert not is_valid_span(word)


# 1 June 2026 is a Monday; Almaty is at UTC+5, Port of Spain at UTC-4.
OPEN = """
    mo-fr/09:00-18:00           | Asia/Almaty           | 2026-06-01T03:59+00:00 | closed
    mo-fr/09:00-18:00           | Asia/Almaty           | 2026-06-01T04:00+00:00 | open
    mo-fr/09:00-18:00           | Asia/Almaty           | 2026-06-01T12:59+00:00 | open
    mo-fr/09:00-18:00           | Asia/Almaty           | 2026-06-01T13:00+00:00 | closed
    mo-fr/09:00-18:00           | Asia/Almaty           | 2026-06-06T06:00+00:00 | closed
    mo-fr/09:00-18:00           | America/Port_of_Spain | 2026-06-01T12:59+00:00 | closed
    mo-fr/09:00-18:00           | America/Port_of_Spain | 2026-06-01T13:00+00:00 | open
    su/00:00-24:00              | America/Port_of_Spain | 2026-06-01T03:59+00:00 | open
    su/00:00-24:00              | America/Port_of_Spain | 2026-06-01T04:00+00:00 | closed
    fr/20:00-24:00 sa/00:00-04:00 | UTC                 | 2026-06-05T23:59+00:00 | open
    fr/20:00-24:00 sa/00:00-04:00 | UTC                 | 2026-06-06T03:59+00:00 | open
    fr/20:00-24:00 sa/00:00-04:00 | UTC                 | 2026-06-06T04:00+00:00 | closed
    mo-fr/09:00-17:00           | America/Havana        | 2026-06-01T13:00+00:00 | open
    mo-fr/09:00-17:00           | America/Havana        | 2025-12-01T13:00+00:00 | closed
    mo-fr/09:00-17:00           | America/Havana        | 2026-12-01T13:00+00:00 | open
    we/10:00-11:00              | UTC                   | 2026-06-01T10:30+00:00 | closed
    su-th/09:00-17:00           | UTC                   | 2026-06-07T10:00+00:00 | open
    su-th/09:00-17:00           | UTC                   | 2026-06-01T10:00+00:00 | open
    su-th/09:00-17:00           | UTC                   | 2026-06-04T10:00+00:00 | open
    su-th/09:00-17:00           | UTC                   | 2026-06-05T10:00+00:00 | closed
    su-th/09:00-17:00           | UTC                   | 2026-06-06T10:00+00:00 | closed
    su-th/09:00-17:00           | UTC                   | 2026-06-07T17:00+00:00 | closed
    tu-mo/09:00-17:00           | UTC                   | 2026-06-06T10:00+00:00 | open
    mo-mo/09:00-17:00           | UTC                   | 2026-06-02T10:00+00:00 | closed
    mo-fr/09:00-13:00 mo-fr/14:00-18:00 | UTC           | 2026-06-01T12:59+00:00 | open
    mo-fr/09:00-13:00 mo-fr/14:00-18:00 | UTC           | 2026-06-01T13:30+00:00 | closed
    mo-fr/09:00-13:00 mo-fr/14:00-18:00 | UTC           | 2026-06-01T14:00+00:00 | open
    always                      | Asia/Almaty           | 2026-06-07T23:00+00:00 | open
    -                           | Asia/Almaty           | 2026-06-01T06:00+00:00 | not known
"""
ANSWERS = {"open": True, "closed": False, "not known": None}


@pytest.mark.parametrize("line", OPEN.strip().splitlines())
def test_an_office_is_open_in_its_own_time(line: str) -> None:
    hours, zone, moment, answer = (cell.strip() for cell in line.split("|"))
    opening = [] if hours == "-" else hours.split()

    found = is_open(opening, zone, datetime.fromisoformat(moment))

    assert found is ANSWERS[answer]


def test_refused_hours_show_how_a_break_and_a_night_are_written() -> None:
    for word in ("mo-fr/09:00-13:00,14:00-18:00", "mo/20:00-04:00"):
        with pytest.raises(PydanticCustomError) as refused:
            parse_span(word)
        message = str(refused.value)
        assert all(is_valid_span(word) for word in re.findall(r"[a-z-]+/[0-9:-]+", message))
        assert "by a space: mo-fr/09:00-13:00 mo-fr/14:00-18:00" in message
        assert "su-th/09:00-17:00" in message
        assert "mo/20:00-24:00 tu/00:00-04:00" in message


def test_every_example_of_the_page_is_accepted() -> None:
    page = (ROOT / "docs" / "directory.md").read_text("utf-8")
    table = page.split("## When an office is open")[1].split("\n- ")[0]

    spans = re.findall(r"[a-z-]+/[0-9:-]+", table)

    assert len(spans) > 7
    assert all(map(is_valid_span, spans))
