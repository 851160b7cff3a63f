"""Pure rules that no change to the directory may break, even if it is approved."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from app.directory.history import Values
from app.directory.kinds import OfficeKind, find_unserved_countries


def list_active(offices: Iterable[Values], kind: OfficeKind) -> list[Values]:
    """List the active offices of a kind."""
    return [office for office in offices if office["active"] and office["kind"] == kind]


def find_regions_without_desk(
    regions: Mapping[str, str], offices: Collection[Values]
) -> frozenset[str]:
    """Return the regions with a country that no active desk serves."""
    served = {
        place for desk in list_active(offices, OfficeKind.DESK) for place in desk["serves"]
    }
    unserved = find_unserved_countries(regions, served)
    return frozenset(regions[country] for country in unserved)


def describe_loss(
    regions: Mapping[str, str], before: Sequence[Values], after: Sequence[Values]
) -> str | None:
    """Return the reason why a change to the directory is unsound, or None if it is sound.

    It is unsound if no active desk serves a country of a region that was completely served
    before, or if the last active oversight body would be lost.
    """
    orphans = find_regions_without_desk(regions, after)
    orphans -= find_regions_without_desk(regions, before)
    if orphans:
        return f"No active desk would serve every country of {', '.join(sorted(orphans))}."
    watched = list_active(before, OfficeKind.OVERSIGHT)
    if watched and not list_active(after, OfficeKind.OVERSIGHT):
        return "No active oversight body would be left."
    return None
