"""The code computes the same deadlines as a person who computed them by hand.

Each row has the place, the local start, the limit, the local end, the end in UTC, and a
note, such as the days that do not count. The UTC offsets are set by hand too: Almaty +5 (+6
before March 2024), Kabul +4:30, Tashkent +5, Guatemala -6, Port of Spain -4. Havana is at
-4 from 9 March to 2 November 2025, at -5 until 8 March 2026, and then at -4 until 7
November 2027: Cuba decided in October 2026 not to turn its clocks back that year (release
notes of the IANA time zone database, 2026f).
"""

from datetime import UTC, date, datetime
from typing import Final

import pytest

from app.deadlines.limits import Limit, TimeUnit, days, hours, months, working_days
from app.directory.calendars import Calendar, Place, get_place
from app.directory.models import FocalPoint
from app.kernel import time_zones

HOLD_FOR: Final = "2026f"
"""The release of the time zone database with which the rows were computed."""
PLACES: Final = {
    "Almaty": Place("Asia/Almaty", "KZ"),
    "Guatemala": Place("America/Guatemala", "GT"),
    "Port of Spain": Place("America/Port_of_Spain", "TT"),
    "Havana": Place("America/Havana", "CU"),
    "Kabul": Place("Asia/Kabul", "AF"),
}
MADE_UP: Final = {
    "Havana, resting Fri and Sat": Calendar("America/Havana", frozenset({4, 5})),
    "Tashkent, 12 Dec for 31 Dec": Calendar(
        "Asia/Tashkent",
        holidays=frozenset({date(2026, 12, 31)}),
        working_days=frozenset({date(2026, 12, 12)}),
    ),
}
TABLE: Final = """
Almaty        | Mon 2026-06-01 10:00 | 1 working day   | Tue 2026-06-02 10:00 | 06-02 05:00 | nothing
Almaty        | Fri 2026-06-05 16:00 | 1 working day   | Mon 2026-06-08 16:00 | 06-08 11:00 | a week-end
Almaty        | Sat 2026-06-06 12:00 | 1 working day   | Mon 2026-06-08 12:00 | 06-08 07:00 | it began on a day off
Almaty        | Sun 2026-06-07 23:59 | 1 working day   | Mon 2026-06-08 23:59 | 06-08 18:59 | it began on a day off
Almaty        | Sat 2026-06-06 12:00 | 5 working days  | Fri 2026-06-12 12:00 | 06-12 07:00 | Sunday; Mon to Fri are five
Almaty        | Fri 2026-03-20 16:00 | 1 working day   | Thu 2026-03-26 16:00 | 03-26 11:00 | Nauryz 21-23; 24 and 25 for its Saturday and Sunday
Almaty        | Sun 2026-03-22 08:00 | 1 working day   | Thu 2026-03-26 08:00 | 03-26 03:00 | it began within Nauryz
Almaty        | Wed 2026-03-18 09:30 | 5 working days  | Mon 2026-03-30 09:30 | 03-30 04:30 | Thu, Fri, Nauryz until Wed 25, Thu, Fri, Mon
Almaty        | Fri 2026-03-20 16:00 | 72 hours        | Mon 2026-03-23 16:00 | 03-23 11:00 | urgent: Nauryz does not count
Almaty        | Sat 2026-03-21 23:30 | 3 hours         | Sun 2026-03-22 02:30 | 03-21 21:30 | runs at night, on a holiday
Almaty        | Fri 2026-03-13 11:00 | 14 days         | Fri 2026-03-27 11:00 | 03-27 06:00 | days, not working days
Almaty        | Wed 2025-12-31 10:00 | 1 working day   | Mon 2026-01-05 10:00 | 01-05 05:00 | New Year 1 and 2, a week-end
Almaty        | Mon 2026-01-05 10:00 | 5 working days  | Tue 2026-01-13 10:00 | 01-13 05:00 | Orthodox Christmas Wed 7, a week-end
Almaty        | Thu 2026-04-30 18:00 | 3 working days  | Wed 2026-05-06 18:00 | 05-06 13:00 | Unity Day Fri 1, a week-end
Almaty        | Wed 2026-05-06 18:00 | 1 working day   | Fri 2026-05-08 18:00 | 05-08 13:00 | Defender's Day Thu 7
Almaty        | Fri 2026-05-08 18:00 | 1 working day   | Tue 2026-05-12 18:00 | 05-12 13:00 | Victory Day Sat 9, Mon 11 in its place
Almaty        | Tue 2026-05-26 09:00 | 1 working day   | Thu 2026-05-28 09:00 | 05-28 04:00 | Qurban Ait Wed 27
Almaty        | Fri 2026-07-03 17:00 | 1 working day   | Tue 2026-07-07 17:00 | 07-07 12:00 | Capital Day Mon 6
Almaty        | Fri 2026-10-23 15:00 | 10 working days | Mon 2026-11-09 15:00 | 11-09 10:00 | Republic Day Sun 25, Mon 26 in its place
Almaty        | Tue 2026-12-15 08:00 | 1 working day   | Thu 2026-12-17 08:00 | 12-17 03:00 | Independence Day Wed 16
Almaty        | Thu 2026-12-31 10:00 | 1 working day   | Tue 2027-01-05 10:00 | 01-05 05:00 | New Year Fri and Sat, Mon 4 for the Saturday
Almaty        | Thu 2024-02-29 12:00 | 24 months       | Sat 2026-02-28 12:00 | 02-28 07:00 | no 29th; an hour back on 1 March 2024

Guatemala     | Wed 2026-04-01 16:00 | 1 working day   | Mon 2026-04-06 16:00 | 04-06 22:00 | Maundy Thursday, Good Friday, Holy Saturday
Guatemala     | Fri 2026-03-27 09:00 | 5 working days  | Tue 2026-04-07 09:00 | 04-07 15:00 | Mon, Tue, Wed, Holy Week, Mon, Tue
Guatemala     | Thu 2026-04-30 17:30 | 1 working day   | Mon 2026-05-04 17:30 | 05-04 23:30 | Labour Day Fri 1
Guatemala     | Fri 2026-06-26 12:00 | 1 working day   | Tue 2026-06-30 12:00 | 06-30 18:00 | Army Day, moved from Tue 30 to Mon 29
Guatemala     | Mon 2026-09-14 08:00 | 1 working day   | Wed 2026-09-16 08:00 | 09-16 14:00 | Independence Day Tue 15
Guatemala     | Mon 2026-10-19 10:00 | 3 working days  | Fri 2026-10-23 10:00 | 10-23 16:00 | Revolution Day Tue 20
Guatemala     | Fri 2026-10-30 13:00 | 1 working day   | Mon 2026-11-02 13:00 | 11-02 19:00 | All Saints on a Sunday, not moved
Guatemala     | Thu 2026-12-24 09:00 | 1 working day   | Mon 2026-12-28 09:00 | 12-28 15:00 | Christmas Fri 25
Guatemala     | Thu 2026-12-31 09:00 | 1 working day   | Mon 2027-01-04 09:00 | 01-04 15:00 | New Year Fri 1
Guatemala     | Fri 2026-05-29 20:00 | 1 working day   | Mon 2026-06-01 20:00 | 06-02 02:00 | Saturday in UTC, still Friday there

Port of Spain | Thu 2026-03-19 15:00 | 1 working day   | Mon 2026-03-23 15:00 | 03-23 19:00 | Eid-ul-Fitr Fri 20
Port of Spain | Fri 2026-03-27 15:00 | 1 working day   | Tue 2026-03-31 15:00 | 03-31 19:00 | Spiritual Baptist Liberation Day Mon 30
Port of Spain | Thu 2026-04-02 10:00 | 1 working day   | Tue 2026-04-07 10:00 | 04-07 14:00 | Good Friday, Easter Monday
Port of Spain | Fri 2026-05-29 10:00 | 1 working day   | Mon 2026-06-01 10:00 | 06-01 14:00 | Indian Arrival Day on a Saturday, not moved
Port of Spain | Wed 2026-06-03 10:00 | 1 working day   | Fri 2026-06-05 10:00 | 06-05 14:00 | Corpus Christi Thu 4
Port of Spain | Thu 2026-06-18 10:00 | 5 working days  | Fri 2026-06-26 10:00 | 06-26 14:00 | Labour Day Fri 19
Port of Spain | Fri 2026-08-28 10:00 | 3 working days  | Thu 2026-09-03 10:00 | 09-03 14:00 | Independence Day Mon 31
Port of Spain | Wed 2026-09-23 09:00 | 1 working day   | Fri 2026-09-25 09:00 | 09-25 13:00 | Republic Day Thu 24
Port of Spain | Fri 2026-11-06 14:00 | 1 working day   | Tue 2026-11-10 14:00 | 11-10 18:00 | Divali Sun 8, Mon 9 in its place
Port of Spain | Thu 2026-12-24 12:00 | 1 working day   | Mon 2026-12-28 12:00 | 12-28 16:00 | Christmas Fri, Boxing Day Sat
Port of Spain | Fri 2026-02-13 09:00 | 1 working day   | Mon 2026-02-16 09:00 | 02-16 13:00 | Carnival Monday is no public holiday

Havana        | Fri 2026-03-06 16:00 | 1 working day   | Mon 2026-03-09 16:00 | 03-09 20:00 | clocks go forward on Sun 8: 71 hours
Havana        | Fri 2026-03-06 16:00 | 72 hours        | Mon 2026-03-09 17:00 | 03-09 21:00 | hours are hours: an hour later on the wall
Havana        | Fri 2026-02-27 09:00 | 14 days         | Fri 2026-03-13 09:00 | 03-13 13:00 | the same hour on the wall: an hour less
Havana        | Mon 2025-10-27 09:00 | 30 days         | Wed 2025-11-26 09:00 | 11-26 14:00 | the same hour on the wall: an hour more
Havana        | Sun 2026-03-01 00:30 | 7 days          | Sun 2026-03-08 01:30 | 03-08 05:30 | there is no 00:30: as long after the change
Havana        | Sun 2026-03-01 00:00 | 7 days          | Sun 2026-03-08 01:00 | 03-08 05:00 | there is no midnight: the first moment there is
Havana        | Sun 2026-02-08 00:30 | 1 month         | Sun 2026-03-08 01:30 | 03-08 05:30 | there is no 00:30 after a month either
Havana        | Sat 2026-03-07 23:30 | 1 hour          | Sun 2026-03-08 01:30 | 03-08 05:30 | an hour later, two on the wall
Havana        | Fri 2025-10-31 16:00 | 1 working day   | Mon 2025-11-03 16:00 | 11-03 21:00 | clocks go back on Sun 2: 73 hours
Havana        | Sun 2025-10-26 00:30 | 7 days          | Sun 2025-11-02 00:30 | 11-02 04:30 | 00:30 comes twice: the first
Havana        | Thu 2025-10-02 00:15 | 1 month         | Sun 2025-11-02 00:15 | 11-02 04:15 | 00:15 comes twice: the first
Havana        | Sun 2025-11-02 00:30 | 1 hour          | Sun 2025-11-02 00:30 | 11-02 05:30 | from the first 00:30 to the second
Havana        | Thu 2026-04-02 09:00 | 1 working day   | Mon 2026-04-06 09:00 | 04-06 13:00 | Good Friday
Havana        | Fri 2026-07-24 10:00 | 1 working day   | Tue 2026-07-28 10:00 | 07-28 14:00 | Moncada 25 to 27 July
Havana        | Thu 2026-12-24 10:00 | 1 working day   | Mon 2026-12-28 10:00 | 12-28 14:00 | Christmas Fri 25
Havana        | Wed 2026-12-30 10:00 | 1 working day   | Mon 2027-01-04 10:00 | 01-04 14:00 | 31 December, Liberation Fri 1, Victory Sat 2

Havana        | Fri 2026-10-30 16:00 | 1 working day   | Mon 2026-11-02 16:00 | 11-02 20:00 | clocks do not go back in 2026: 72 hours
Havana        | Mon 2026-10-26 09:00 | 30 days         | Wed 2026-11-25 09:00 | 11-25 13:00 | nor is there an hour more
Havana        | Sun 2026-11-01 00:30 | 1 hour          | Sun 2026-11-01 01:30 | 11-01 05:30 | 00:30 comes once
Havana        | Fri 2027-03-12 16:00 | 1 working day   | Mon 2027-03-15 16:00 | 03-15 20:00 | nor do they go forward in 2027
Havana        | Fri 2027-11-05 16:00 | 1 working day   | Mon 2027-11-08 16:00 | 11-08 21:00 | they go back on Sun 7 November 2027: 73 hours

Kabul         | Thu 2026-06-04 14:00 | 1 working day   | Sun 2026-06-07 14:00 | 06-07 09:30 | rests on Friday and Saturday
Kabul         | Fri 2026-06-05 10:00 | 1 working day   | Sun 2026-06-07 10:00 | 06-07 05:30 | it began on a day off
Kabul         | Sun 2026-06-07 09:00 | 5 working days  | Sun 2026-06-14 09:00 | 06-14 04:30 | Mon to Thu are four, Fri and Sat, Sunday
Kabul         | Tue 2026-08-18 09:00 | 1 working day   | Thu 2026-08-20 09:00 | 08-20 04:30 | Independence Day Wed 19

Havana, resting Fri and Sat | Thu 2026-03-05 00:30 | 1 working day | Sun 2026-03-08 01:30 | 03-08 05:30 | a working day without a 00:30
Havana, resting Fri and Sat | Thu 2025-10-30 00:30 | 1 working day | Sun 2025-11-02 00:30 | 11-02 04:30 | a working day with two: the first
Tashkent, 12 Dec for 31 Dec | Fri 2026-12-11 10:00 | 1 working day | Sat 2026-12-12 10:00 | 12-12 05:00 | a Saturday made a working day
Tashkent, 12 Dec for 31 Dec | Wed 2026-12-30 10:00 | 1 working day | Fri 2027-01-01 10:00 | 01-01 05:00 | the Thursday given for it
"""  # noqa: E501 - one deadline a line
ROWS: Final = [
    [cell.strip() for cell in line.split("|")]
    for line in TABLE.strip().splitlines()
    if line
]
SPELLED: Final = {
    "hour": hours,
    "day": days,
    "working day": working_days,
    "month": months,
}


def limit_of(text: str) -> Limit:
    count, unit = text.split(" ", 1)
    return SPELLED[unit.removesuffix("s")](int(count))


def parse_local(text: str) -> datetime:
    """Return the local time of a row, and check its day of the week."""
    day, rest = text.split(" ", 1)
    found = datetime.fromisoformat(rest)
    assert found.strftime("%a") == day, text
    return found


def find_calendar(place: str, at: datetime) -> Calendar:
    made_up = MADE_UP.get(place)
    return made_up or PLACES[place].get_calendar(at.replace(tzinfo=UTC))


@pytest.mark.parametrize("row", ROWS, ids=[" ".join(row[:3]) for row in ROWS])
def test_a_deadline_is_what_a_person_with_a_calendar_comes_to(row: list[str]) -> None:
    place, start, limit, until, utc, why = row
    here = find_calendar(place, parse_local(start))

    due = limit_of(limit).compute_end(here.to_utc(parse_local(start)), here)

    assert here.to_local(due) == parse_local(until), why
    assert f"{due:%m-%d %H:%M}" == utc, why
    assert due.tzinfo is UTC


def test_rows_were_computed_with_the_time_zones_in_use() -> None:
    assert time_zones.get_version() == HOLD_FOR, (
        "Compute the rows whose zone changed anew, by hand, and then raise HOLD_FOR."
    )


def test_there_are_at_least_forty_and_of_each_place() -> None:
    assert len(ROWS) >= 40
    assert {row[0] for row in ROWS} == {*PLACES, *MADE_UP}


def test_who_is_of_one_country_rests_with_it_and_who_is_of_several_with_none() -> None:
    shelter = FocalPoint(serves=["KZ"], time_zone="Asia/Almaty")
    consulate = FocalPoint(of_state="UZ", serves=["KZ"], time_zone="Asia/Almaty")
    network = FocalPoint(serves=["KZ", "KG"], time_zone="Asia/Bishkek")
    worldwide = FocalPoint(serves=["*"], time_zone="UTC")

    places = [get_place(one) for one in (shelter, consulate, network, worldwide)]

    assert [place.country for place in places] == ["KZ", "UZ", None, None]
    assert [place.time_zone for place in places][:3] == [
        "Asia/Almaty",
        "Asia/Almaty",
        "Asia/Bishkek",
    ]


def test_a_limit_has_one_of_four_units() -> None:
    assert set(TimeUnit) == {limit_of(f"2 {unit}s").unit for unit in SPELLED}
