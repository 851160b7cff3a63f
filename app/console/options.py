"""The options of the console, and the people of the demonstration."""

import hmac
from dataclasses import dataclass, field

from app.console.demo_tour import TourPart, TourTask


@dataclass(frozen=True)
class DemoPerson:
    """A made-up person: the code of the office, the account, its roles, and an API key.

    `part` is the part of the tour in which the person is shown, `task` what it can try.
    """

    focal_point: str
    label: str
    roles: tuple[str, ...]
    key: str = field(repr=False)
    part: TourPart
    task: TourTask

    @property
    def id(self) -> str:
        """The office and the account, which together name one person."""
        return f"{self.focal_point}/{self.label}"


@dataclass(frozen=True)
class DemoSignIn:
    """The secret of the link that signs in as people of the demonstration, and the people.

    People of the same part of the tour, and in it of the same office, follow each other.
    """

    secret: str = field(repr=False)
    people: tuple[DemoPerson, ...]

    def is_secret(self, text: str) -> bool:
        """Return whether a text is the secret of the link, in constant time."""
        return hmac.compare_digest(self.secret.encode(), text.encode())


@dataclass(frozen=True)
class ConsoleOptions:
    """The options of the console: where the quick exit leads, and the demonstration."""

    exit_url: str
    demo: DemoSignIn | None = None
