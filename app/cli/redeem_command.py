"""The `redeem-key` command: the holder of an account makes an API key with a link."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import httpx
import typer

from app.cli.api_client import (
    CannotCall,
    NoAnswer,
    Refused,
    build_client,
    describe_refusal,
    join_lines,
    print_note,
    require_trusted,
)
from app.kernel import durable
from app.settings import CallerSettings

LOST: Final = (
    "If the link was used, the key is lost. Ask for the key to be revoked, and for another "
    "link."
)
ABOUT: Final = join_lines("""
Make an API key with the link that you got, and write it to a file.

Only you can read the file, and the person who gave you the link does not see the key. The
link is asked for, or read from standard input. It can be used once, within 24 hours.

SAFE_CONDUCT_URL is the URL of the service.

Exit codes: 0: the key is in the file. 1: nothing was sent, because a setting or the file is
wrong. 3: the service refused the request, and says why. 4: the key may be lost.
""")


def redeem_key(
    file: Annotated[Path, typer.Argument(help="File for the key; it must not exist yet.")],
) -> None:
    """Make an API key with a link, and write it to a new file."""
    with build_client(CallerSettings(), needs_key=False) as http:
        link = read_link()
        create_file(file)
        try:
            key = request_key(http, link)
        except BaseException:
            file.unlink()
            raise
        write_key(file, key)
    typer.echo(f"The key is in {file}, which only you can read.")
    print_note(f"To use it, set SAFE_CONDUCT_API_KEY_FILE={file}")


def read_link() -> str:
    """Prompt for the link on a terminal, or read it from standard input."""
    if sys.stdin.isatty():
        link: str = typer.prompt("Link", hide_input=True)
    else:
        link = sys.stdin.read()
    return link.strip()


def create_file(file: Path) -> None:
    """Create an empty file before the link is used. Raises CannotCall if this fails."""
    try:
        durable.create(file, "")
    except OSError as error:
        raise CannotCall(f"{file} cannot be created: {error.strerror}.") from error


def write_key(file: Path, key: str) -> None:
    """Write the key to the file. Raises NoAnswer if this fails: the key is then lost."""
    try:
        with file.open("w", encoding="ascii") as opened:
            opened.write(f"{key}\n")
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise NoAnswer(
            f"{file} cannot be written: {error.strerror}. The key is lost, because the "
            "link was used. Ask for the key to be revoked, and for another link."
        ) from error


def request_key(http: httpx.Client, link: str) -> str:
    """Use the link, and return the key.

    Raises Refused if the service refuses the link, CannotCall if there is no connection,
    and NoAnswer if the key may be lost.
    """
    try:
        answer = http.post("/v1/keys/redeem", json={"link": link})
    except httpx.ConnectError as error:
        require_trusted(error)
        raise CannotCall(
            "The service cannot be reached. Check SAFE_CONDUCT_URL."
        ) from error
    except httpx.HTTPError as error:
        raise NoAnswer(f"No answer arrived ({type(error).__name__}). {LOST}") from error
    if answer.is_server_error:
        raise NoAnswer(f"{describe_refusal(answer)}\n{LOST}")
    if not answer.is_success:
        raise Refused(describe_refusal(answer))
    try:
        return str(answer.json()["key"])
    except (ValueError, LookupError, TypeError) as error:
        raise NoAnswer(f"The answer is not from Safe Conduct. {LOST}") from error
