"""The rule for sections that cross a border from the sender's or the person's country."""

from app.directory import agreement_queries
from app.directory.kinds import DisclosureLevel, is_at_home, list_home_countries
from app.directory.models import FocalPoint
from app.kernel.transactions import ReadTransaction


def may_cross(
    tx: ReadTransaction,
    country: str,
    *,
    sender: FocalPoint,
    to: FocalPoint,
    level: DisclosureLevel,
) -> bool:
    """Return whether agreements allow data of this level to cross every border (G07).

    If the person is in another country than the sender, there can be two borders. If the
    row of an office was altered outside the service, its country is unknown, and nothing
    may cross.
    """
    if sender.is_altered or to.is_altered:
        return False
    countries = list_home_countries(sender)
    shared = any(is_at_home(to, one) for one in countries)
    crossed = {country, *([] if shared else countries)}
    return all(agreement_queries.is_agreed(tx, one, to, level) for one in crossed)
