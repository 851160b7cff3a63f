"""The file of the erasure ledger never loses an entry."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from app.kernel.ledger_file import (
    HEAD,
    LineUnknown,
    append,
    create,
    encode_lines,
    format_epochs,
    format_erasures,
    open_locked,
    parse,
    read_all,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
IDS = [UUID(int=number << 64 | 0xA) for number in range(1, 4)]
ERASED = {one: NOON + timedelta(days=day) for day, one in enumerate(IDS)}
WHOLE = encode_lines([HEAD, "epoch 0badcafe", *format_erasures(ERASED)])


def add(path: Path, erased: Mapping[UUID, datetime]) -> None:
    """Append the entries that the file does not contain yet, as every writer does."""
    with open_locked(path) as file:
        known = parse(read_all(file))
        append(
            file,
            known,
            format_erasures({i: at for i, at in erased.items() if i not in known.erased}),
        )


def test_what_is_spelled_is_read(tmp_path: Path) -> None:
    path = tmp_path / "var" / "erasures"

    create(path, ["0badcafe"])
    add(path, ERASED)

    read = parse(path.read_bytes())
    assert path.read_bytes() == WHOLE
    assert read.epochs == {"0badcafe"}
    assert (dict(read.erased), read.tail) == (ERASED, b"")


def test_a_line_holds_a_case_and_a_time_and_nothing_else() -> None:
    [line] = format_erasures({IDS[0]: NOON.astimezone(timezone(timedelta(hours=5)))})

    assert line == f"erased {IDS[0]} 2026-06-01T12:00:00Z"


def test_only_its_owner_reads_it_and_no_copy_is_left(tmp_path: Path) -> None:
    path = tmp_path / "erasures"

    create(path, ["0badcafe"])

    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_one_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "erasures"
    create(path, ["0badcafe"])
    add(path, ERASED)

    create(path, ["deadbeef"])

    assert path.read_bytes() == WHOLE
    assert list(tmp_path.iterdir()) == [path]


def test_wherever_a_crash_tore_it_the_rest_is_read_and_the_torn_line_written_anew(
    tmp_path: Path,
) -> None:
    path = tmp_path / "erasures"
    for cut in range(len(encode_lines([HEAD])), len(WHOLE) + 1):
        path.write_bytes(WHOLE[:cut])
        torn = parse(WHOLE[:cut])

        add(path, ERASED)
        with open_locked(path) as file:
            append(file, parse(read_all(file)), format_epochs(["0badcafe"]))

        mended = parse(path.read_bytes())
        whole_lines = max(WHOLE[:cut].count(b"\n") - 2, 0)
        assert torn.erased.keys() >= set(IDS[:whole_lines])
        assert torn.erased.items() <= ERASED.items()
        assert mended.epochs == {"0badcafe"}
        assert (dict(mended.erased), mended.tail) == (ERASED, b"")


def test_a_tail_that_lacks_but_its_end_counts_and_stays() -> None:
    cut = WHOLE[:-1]

    assert parse(cut).erased == ERASED


def test_what_is_said_twice_counts_once() -> None:
    twice = encode_lines(
        [HEAD, "epoch 0badcafe", *format_erasures(ERASED), *format_erasures(ERASED)]
    )

    assert parse(twice).erased == ERASED


def test_zeros_that_a_lost_power_left_are_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "erasures"
    path.write_bytes(WHOLE + bytes(40))

    more = ERASED | {UUID(int=9): NOON}
    add(path, more)

    assert parse(path.read_bytes()).erased == more


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", 1),
        (b"\n", 1),
        (HEAD.encode(), 1),
        (b"safe-conduct erasures 2\n", 1),
        (WHOLE.replace(b"erased 0", b"erazed 0", 1), 3),
        (WHOLE.replace(str(IDS[1]).encode(), b"who knows"), 4),
        (WHOLE + b"\n" + WHOLE[-40:], 6),
        (b"\xff\xfe" + WHOLE, 1),
    ],
    ids=["empty", "a line", "half a head", "newer", "word", "id", "blank", "bytes"],
)
def test_what_is_no_line_of_a_ledger_is_said_with_its_number(
    data: bytes, line: int
) -> None:
    with pytest.raises(LineUnknown) as unknown:
        parse(data)

    assert str(unknown.value) == str(line)


def test_it_can_be_one_that_the_system_lets_nobody_rewrite(tmp_path: Path) -> None:
    path = tmp_path / "erasures"
    create(path, ["0badcafe"])

    with open_locked(path) as file:
        os.lseek(file, 0, os.SEEK_SET)
        append(file, parse(path.read_bytes()), format_erasures(ERASED))

    assert path.read_bytes() == WHOLE
