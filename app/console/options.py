"""The options of the console, and the people of the demonstration."""

import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class DemoPerson:
    """A made-up person: the code of the office, the account, its roles, and an API key."""

    focal_point: str
    label: str
    roles: tuple[str, ...]
    key: str

    @property
    def id(self) -> str:
        """The office and the account, which together name one person."""
        return f"{self.focal_point}/{self.label}"


@dataclass(frozen=True)
class DemoSignIn:
    """The people of the demonstration, and the secret of the link that signs in as them."""

    secret: str
    people: tuple[DemoPerson, ...]

    def is_secret(self, text: str) -> bool:
        """Return whether a text is the secret of the link, in constant time."""
        return hmac.compare_digest(self.secret.encode(), text.encode())


@dataclass(frozen=True)
class ConsoleOptions:
    """The options of the console: where the quick exit leads, and the demonstration."""

    exit_url: str
    demo: DemoSignIn | None = None
