"""The `account enrol` command, for the first two people of an office."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from app.access.passkeys import build_relying_party
from app.administration import enrolments
from app.cli.operator_actions import lock_account
from app.cli.startup import NotReady, load_runtime
from app.kernel.actors import SYSTEM
from app.kernel.problems import Problem
from app.kernel.transactions import Runtime, begin_write
from app.settings import Settings


@dataclass(frozen=True)
class Secrets:
    """The link and the code of an enrolment, and the time at which they expire."""

    link: str
    code: str
    expires_at: datetime


def enrol_account(
    account_id: Annotated[
        UUID, typer.Argument(help="Id of the account; see `account list`.")
    ],
    *,
    recovery: Annotated[
        bool,
        typer.Option(help="Replace all passkeys of the person, and end their sessions."),
    ] = False,
) -> None:
    """Print a link and a code, with which a person registers a passkey once.

    Use it for the first two people of an office, and send the link and the code in two
    different ways. These people then enrol the others.
    """
    settings = Settings()
    if build_relying_party(settings.public_url) is None:
        raise NotReady(
            "Set SAFE_CONDUCT_PUBLIC_URL, such as https://refer.example.org. Passkeys are "
            "bound to its host, which must be a name."
        )
    made = create_enrolment(load_runtime(settings), account_id, recovery=recovery)
    typer.echo(f"Link: {format_link(settings, made.link)}")
    typer.echo(f"Code: {made.code}")
    typer.echo(f"Valid once, until {made.expires_at:%Y-%m-%d %H:%M} UTC.")


def format_link(settings: Settings, link: str) -> str:
    """Return a console URL that contains a link, or only the link if the console is off.

    The link follows `#`, so that browsers do not send it to the server.
    """
    return f"{settings.public_url}/console/enrol#{link}" if settings.console else link


def create_enrolment(runtime: Runtime, account_id: UUID, *, recovery: bool) -> Secrets:
    """Create an enrolment that needs no second person, because an operator makes it.

    Raises NotReady if the account is unknown or disabled, or cannot be enrolled now.
    """
    with begin_write(runtime, SYSTEM) as tx:
        account = lock_account(tx, account_id)
        if account.disabled_at is not None:
            raise NotReady(
                "The account is disabled. Open another: safe-conduct account new"
            )
        try:
            enrolments.require_person(account)
            made = enrolments.add_enrolment(tx, account, recovery=recovery)
        except Problem as problem:
            raise NotReady(f"{problem.title} {problem.detail}") from problem
        code = enrolments.add_code(tx, made.row, account)
        return Secrets(made.secret or "", code, made.row.expires_at)
