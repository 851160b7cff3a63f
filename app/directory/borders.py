"""Whether what is told may cross each border between two offices and a person.

What may go from one country to an office is `queries.is_agreed`.
"""

from app.directory import queries as directory
from app.directory.kinds import Level, homes, is_at_home
from app.directory.models import FocalPoint
from app.kernel.work import Reading


def may_cross(
    work: Reading, country: str, *, sender: FocalPoint, to: FocalPoint, level: Level
) -> bool:
    """Return whether this much may cross each border there is (G07).

    From where the person is, and from where the sender is: after a move of the person
    these are two.
    """
    countries = homes(sender)
    shared = any(is_at_home(to, one) for one in countries)
    left = {country, *([] if shared else countries)}
    return all(directory.is_agreed(work, one, to, level) for one in left)
