"""The options of the console, and the demo users."""

import hmac
from dataclasses import dataclass, field

from app.console.demo_tour import TourPart, TourTask


@dataclass(frozen=True)
class DemoPerson:
    """A demo user: the code of the office, the account, its roles, and an API key.

    `part` is the part of the tour in which the user is shown. `task` is a task to try.
    """

    focal_point: str
    label: str
    roles: tuple[str, ...]
    key: str = field(repr=False)
    part: TourPart
    task: TourTask

    @property
    def id(self) -> str:
        """The codes of the office and the account, which together identify the person."""
        return f"{self.focal_point}/{self.label}"


@dataclass(frozen=True)
class DemoSignIn:
    """Data for sign-in to the demonstration: the secret in the link, and the people.

    The people are grouped by part of the tour and, within a part, by office.
    """

    secret: str = field(repr=False)
    people: tuple[DemoPerson, ...]

    def is_secret(self, text: str) -> bool:
        """Return whether a text is the secret of the link, in constant time."""
        return hmac.compare_digest(self.secret.encode(), text.encode())


@dataclass(frozen=True)
class ConsoleOptions:
    """The options of the console: the URL of the quick exit and any demonstration data."""

    exit_url: str
    demo: DemoSignIn | None = None
