"""Tables of a result: the same for a terminal and for the page."""

from collections.abc import Iterator, Mapping, Sequence

from tests.bench.goals import GROWTH, Goal
from tests.bench.growing import Grown, OfGrowth
from tests.bench.result import Line, Measure, OfPlace, Result

HEADS = (
    *(
        "request",
        "floor, rps",
        "product, rps",
        "of the floor",
        "goal",
        "extreme",
        "reached",
    ),
    *("p50 ms", "p99 ms", "floor, CPU us", "product, CPU us", "by CPU", "database, CPU us"),
)
GROWTH_HEADS = (
    *("request", "few, CPU us", "many, CPU us", "times", "at most"),
    *("few, apart from themselves", "reached"),
)
MEASURES = ("", "found", "at most", "extreme", "reached")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Spell a table that is read in a terminal and as Markdown."""
    widths = [max(len(row[n]) for row in (heads, *rows)) for n in range(len(heads))]
    yield spelled(heads, widths)
    yield spelled(["-" * width for width in widths], widths)
    yield from (spelled(row, widths) for row in rows)


def spelled(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Spell a row of it."""
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return f"| {' | '.join(padded)} |"


def goals(goal: Goal | None, form: str) -> tuple[str, str]:
    """Spell what was asked for."""
    if goal is None:
        return "", ""
    return format(goal.least, form), format(goal.extreme, form) if goal.extreme else ""


def cells(line: Line) -> tuple[str, ...]:
    """Spell one request."""
    floor, product = line.floor, line.product
    return (
        line.kind,
        f"{floor.rps:.0f}",
        f"{product.rps:.0f}",
        f"{line.by_rps:.2f}",
        *goals(line.goal, ".2f"),
        line.reached,
        f"{product.p50 * 1000:.1f}",
        f"{product.p99 * 1000:.1f}",
        f"{floor.cpu:.0f}",
        f"{product.cpu:.0f}",
        f"{line.by_cpu:.3f}",
        f"{product.beside:.0f} ({floor.beside:.0f})" if product.beside else "",
    )


def of_measure(measure: Measure) -> tuple[str, ...]:
    """Spell one number."""
    found = f"{measure.found:.3g} {measure.unit}".strip()
    return (measure.name, found, *goals(measure.goal, "g"), measure.reached)


def of_place(place: OfPlace) -> Iterator[str]:
    """Spell what was found on one kind of database."""
    yield f"**{place.database}**: {noise(place)}"
    yield ""
    yield from table(HEADS, [cells(line) for line in place.lines])
    yield ""
    yield from table(MEASURES, [of_measure(measure) for measure in place.measures])
    yield ""
    yield f"Checked afterwards: {'; '.join(place.checked)}."


def noise(place: OfPlace) -> str:
    """Say how far the floor was like itself."""
    rps = max(line.noise for line in place.lines)
    cpu = max(line.noise_of_cpu for line in place.lines)
    said = f"the floor differs from itself by {rps:.1%} in requests, {cpu:.1%} in CPU"
    return f"noisy, so nothing is judged: {said}." if place.noisy else f"{said}."


def of_result(result: Result) -> str:
    """Spell a whole run."""
    told = [
        f"{result.date}, commit `{result.commit}`; {result.machine}.",
        "",
        spelled_client(result),
    ]
    for place in result.places:
        told += ["", *of_place(place)]
    return "\n".join(told) + "\n"


def spelled_client(result: Result) -> str:
    """Say what the client could do at most."""
    client, pace = result.client, result.pace
    return (
        f"{pace['rounds']:.0f} rounds of {pace['seconds']:g} s, "
        f"{pace['clients']:.0f} clients. "
        f"The client gets {client['rps']:.0f} trivial answers a second and takes "
        f"{client['cpu']:.0f} us of its core for each; "
        f"one fsync takes {client['fsync']:.2f} ms here."
    )


def of_growth(places: Sequence[OfGrowth]) -> str:
    """Spell what growth costs."""
    told = list[str]()
    for place in places:
        told += [f"**{place.database}**: {sizes(place.few)}; then {sizes(place.many)}.", ""]
        told += [*table(GROWTH_HEADS, [of_grown(line) for line in place.lines]), ""]
        told += [f"Checked afterwards: {'; '.join(place.checked)}.", ""]
    return "\n".join(told)


def sizes(size: Mapping[str, int]) -> str:
    """Spell how much there is."""
    return ", ".join(f"{many:,} {what}" for what, many in size.items())


def of_grown(line: Grown) -> tuple[str, ...]:
    """Spell what one request costs."""
    costs = (f"{line.few:.0f}", f"{line.many:.0f}", f"{line.times:.2f}")
    return (line.kind, *costs, f"{GROWTH.least:g}", f"{line.noise:.1%}", line.reached)
