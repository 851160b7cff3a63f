"""The table that shows how each step of the journeys is taken. A test checks the table."""

from collections import Counter
from enum import StrEnum


class Way(StrEnum):
    """The way in which a step is taken."""

    PAGE = "on a page"
    REFUSED = "refused by the page and by the API"
    API = "through the API: enrolment has no page yet, and a preview changes nothing"


class Steps(Counter[tuple[Way, str]]):
    """The number of steps for each pair of a way and an operation (method and path)."""

    def format(self) -> str:
        """Return the table of all steps."""
        lines = []
        for way in Way:
            lines += ["", f"{way}:"]
            steps = sorted(step for taken, step in self if taken == way)
            lines += [f"{self[way, step]:4} {step}" for step in steps]
        return "\n".join(lines)
