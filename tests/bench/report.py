"""The tables of a result, for the terminal and for the page of results."""

from collections.abc import Iterator, Mapping, Sequence

from tests.bench.against import Change
from tests.bench.goals import GROWTH, Goal
from tests.bench.growing import Grown, GrowthResult
from tests.bench.instructions import Instructions
from tests.bench.result import Line, Measure, PlaceResult, Result

HEADS = (
    "request",
    "floor, rps",
    "product, rps",
    "of the floor",
    "goal",
    "extreme",
    "reached",
    "p50 ms",
    "p99 ms",
    "floor, CPU us",
    "product, CPU us",
    "by CPU",
    "database, CPU us",
)
GROWTH_HEADS = (
    "request",
    "few, CPU us",
    "many, CPU us",
    "times",
    "at most",
    "few, apart from themselves",
    "reached",
)
INSTRUCTION_HEADS = ("database", "request", "before, million", "now, million", "times")
CHANGE_HEADS = (
    "database",
    "request",
    "before, CPU us",
    "now, CPU us",
    "times",
    "before, apart from itself",
    "before, rps",
    "now, rps",
)
MEASURES = ("", "found", "at most", "extreme", "reached")


def format_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table with these column headings and rows."""
    widths = [max(len(row[n]) for row in (heads, *rows)) for n in range(len(heads))]
    yield format_row(heads, widths)
    yield format_row(["-" * width for width in widths], widths)
    yield from (format_row(row, widths) for row in rows)


def format_row(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return a row of a table."""
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return f"| {' | '.join(padded)} |"


def format_goal(goal: Goal | None, form: str) -> tuple[str, str]:
    """Return the value of a goal, and the better value called extreme, as strings.

    Both strings are empty if there is no goal. The second is empty if its value is 0.
    """
    if goal is None:
        return "", ""
    return format(goal.least, form), format(goal.extreme, form) if goal.extreme else ""


def format_line(line: Line) -> tuple[str, ...]:
    """Return the cells of the row for one kind of request."""
    floor, product = line.floor, line.product
    return (
        line.kind,
        f"{floor.rps:.0f}",
        f"{product.rps:.0f}",
        f"{line.by_rps:.2f}",
        *format_goal(line.goal, ".2f"),
        line.reached,
        f"{product.p50 * 1000:.1f}",
        f"{product.p99 * 1000:.1f}",
        f"{floor.cpu:.0f}",
        f"{product.cpu:.0f}",
        f"{line.by_cpu:.3f}",
        f"{product.beside:.0f} ({floor.beside:.0f})" if product.beside else "",
    )


def format_measure(measure: Measure) -> tuple[str, ...]:
    """Return the cells of the row for a measure."""
    found = f"{measure.found:.3g} {measure.unit}".strip()
    return (measure.name, found, *format_goal(measure.goal, "g"), measure.reached)


def format_place(place: PlaceResult) -> Iterator[str]:
    """Yield the lines about one kind of database."""
    yield f"**{place.database}**: {format_noise(place)}"
    yield ""
    yield from format_table(HEADS, [format_line(line) for line in place.lines])
    yield ""
    yield from format_table(
        MEASURES, [format_measure(measure) for measure in place.measures]
    )
    yield ""
    yield format_checked(place.checked)


def format_checked(checked: Sequence[str]) -> str:
    """Return sentences about the check after a run."""
    stored = "; ".join(checked)
    return f"After the run, no feed had a gap, and nothing was lost. Stored: {stored}."


def format_noise(place: PlaceResult) -> str:
    """Return a sentence that says how much the measurements of the floor differ."""
    rps = max(line.noise for line in place.lines)
    cpu = max(line.noise_of_cpu for line in place.lines)
    sentence = (
        f"two measurements of the floor differ by at most {rps:.1%} in requests a second, "
        f"and by at most {cpu:.1%} in CPU time"
    )
    return f"noisy, so nothing is judged: {sentence}." if place.noisy else f"{sentence}."


def format_result(result: Result) -> str:
    """Return the report of a whole run."""
    lines = [
        f"{result.date}, commit `{result.commit}`; {result.machine}.",
        "",
        format_client(result),
    ]
    for place in result.places:
        lines += ["", *format_place(place)]
    return "\n".join(lines) + "\n"


def format_client(result: Result) -> str:
    """Return sentences about the load and the limits of the client."""
    client, pace = result.client, result.pace
    return (
        f"There were {pace['rounds']:.0f} rounds of {pace['seconds']:g} s, with "
        f"{pace['clients']:.0f} clients. The client can get {client['rps']:.0f} trivial "
        f"answers a second, and needs {client['cpu']:.0f} us of CPU time for each. "
        f"One fsync takes {client['fsync']:.2f} ms on this machine."
    )


def format_growth(places: Sequence[GrowthResult]) -> str:
    """Return the report on the cost with few and with many cases."""
    lines = list[str]()
    for place in places:
        few, many = format_sizes(place.few), format_sizes(place.many)
        lines += [
            f"**{place.database}**: few means {few}; many means {many}.",
            "",
        ]
        lines += [
            *format_table(GROWTH_HEADS, [format_grown(line) for line in place.lines]),
            "",
        ]
        lines += [format_checked(place.checked), ""]
    return "\n".join(lines)


def format_sizes(size: Mapping[str, int]) -> str:
    """Return the numbers of rows as text."""
    return ", ".join(f"{many:,} {what}" for what, many in size.items())


def format_grown(line: Grown) -> tuple[str, ...]:
    """Return the cells of the row that compares the cost with few and with many cases."""
    costs = (f"{line.few:.0f}", f"{line.many:.0f}", f"{line.times:.2f}")
    return (line.kind, *costs, f"{GROWTH.least:g}", f"{line.noise:.1%}", line.reached)


def format_changes(changes: Sequence[Change]) -> str:
    """Return the table that compares this working tree with another commit."""
    rows = [
        (
            one.database,
            f"{one.kind.name} {one.kind}",
            f"{one.found.floor.cpu:.0f}",
            f"{one.found.product.cpu:.0f}",
            f"{one.times:.3f}",
            f"{one.found.noise_of_cpu:.1%}",
            f"{one.found.floor.rps:.0f}",
            f"{one.found.product.rps:.0f}",
        )
        for one in changes
    ]
    return "\n".join(format_table(CHANGE_HEADS, rows))


def format_instructions(found: Sequence[Instructions]) -> str:
    """Return the table of the instructions of this working tree and of another commit."""
    rows = [
        (
            one.database,
            f"{one.kind.name} {one.kind}",
            f"{one.before / 1e6:.2f}",
            f"{one.now / 1e6:.2f}",
            f"{one.now / one.before:.3f}",
        )
        for one in found
    ]
    return "\n".join(format_table(INSTRUCTION_HEADS, rows))
