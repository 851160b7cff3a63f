"""When an office is open: in its own time, through its own summer."""

from datetime import datetime

import pytest

from app.directory.opening import is_open, is_spelled


@pytest.mark.parametrize(
    "word",
    [
        *("always", "mo/00:00-24:00", "mo-su/00:00-00:01", "fr/20:00-24:00"),
        *("mo-fr/09:00-18:00", "sa-sa/23:58-23:59"),
    ],
)
def test_hours_are_spelled_so(word: str) -> None:
    assert is_spelled(word)


@pytest.mark.parametrize(
    "word",
    [
        *("", "never", "Always", "mo", "mo-fr", "09:00-18:00", "mo-fr/9:00-18:00"),
        *("mo-fr/18:00-09:00", "mo/09:00-09:00", "fr-mo/09:00-18:00", "mo/00:00-24:01"),
        *("mo/25:00-26:00", "mo/09:60-10:00", "xx/09:00-18:00", "mo-fr/09:00-18:00 "),
        *("mo-fr/09:00-18:00\n", "mo,tu/09:00-18:00", "mo-tu-we/09:00-18:00"),
        *("mo/٠٩:00-18:00", "mo/24:00-24:00"),
    ],
)
def test_hours_are_not_spelled_so(word: str) -> None:
    assert not is_spelled(word)


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
