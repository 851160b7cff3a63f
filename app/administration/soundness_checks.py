"""Rules that no directory change may break, even if approved, as pure functions."""

from collections.abc import Collection, Iterable, Sequence

from app.directory.history import Values
from app.directory.kinds import OfficeKind, find_unserved_countries


def list_active(offices: Iterable[Values], kind: OfficeKind) -> list[Values]:
    """List the active offices of a kind."""
    return [office for office in offices if office["active"] and office["kind"] == kind]


def find_countries_without_desk(
    countries: Collection[str], offices: Iterable[Values]
) -> frozenset[str]:
    """Return the countries that no active desk serves."""
    desks = list_active(offices, OfficeKind.DESK)
    return find_unserved_countries(
        countries, {place for desk in desks for place in desk["serves"]}
    )


def describe_loss(
    countries: Collection[str], before: Sequence[Values], after: Sequence[Values]
) -> str | None:
    """Return the reason why a change to the directory is unsound, or None if it is sound.

    A change is unsound if a country would lose its last active desk, or if the last active
    oversight body would be lost.
    """
    orphans = find_countries_without_desk(countries, after)
    orphans -= find_countries_without_desk(countries, before)
    if orphans:
        return f"No active desk would serve {', '.join(sorted(orphans))}."
    watched = list_active(before, OfficeKind.OVERSIGHT)
    if watched and not list_active(after, OfficeKind.OVERSIGHT):
        return "No active oversight body would be left."
    return None
