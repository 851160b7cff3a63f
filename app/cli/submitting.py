"""Submitting a case that lies in a file: once, however often the command has to be run.

What makes it once is a random Idempotency-Key. It is kept beside the file, and on the disk
before anything is sent. It is no digest of the content: a digest of what is said of a
person tells who guesses right, and two people can fit one notice, word for word.
"""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from app.api.strict_json import JsonRefused, must_be_strict
from app.casework.example import EXAMPLE
from app.cli.calling import (
    CannotCall,
    Patience,
    Refused,
    calling,
    flowing,
    good,
    is_word,
    note,
    persistently,
    plain,
    problem,
    refusal,
)
from app.clock import utc_now
from app.kernel.durable import sync_folder
from app.settings import Caller

PIPE: Final = Path("-")
BESIDE: Final = ".idempotency-key"
REUSED: Final = "/problems/key-reused"
MARK: Final = b"\xef\xbb\xbf"
"""What some editors write before UTF-8."""
INTERRUPTED: Final = 130
"""How a shell says that somebody pressed Ctrl-C."""
YEAR: Final = timedelta(days=365)
ABOUT: Final = flowing("""
Submit a case that lies in a file; run again, it is the same case.

Its code is printed, and to standard error whom it is with. The key that makes it one is
kept beside the file (`case.json.idempotency-key`): to send the same on purpose as another
case, copy the file. From a pipe, name the key yourself if you may have to repeat it.

SAFE_CONDUCT_URL is where the service is; SAFE_CONDUCT_API_KEY_FILE a file with the API
key, which only you can read, or SAFE_CONDUCT_API_KEY the key.

Ends with 0: it is there. 1: nothing was done, for a setting, the key or the file is
wrong; it says which. 2: the command is wrong. 3: the service refused; change what it
names, mostly in the file, and run it again. 4: nobody knows; run the same again. 130:
Ctrl-C.
""")

type Json = dict[str, Any]


def submit(
    file: Annotated[
        Path | None, typer.Argument(help="The case, as JSON; `-`: from a pipe.")
    ] = None,
    *,
    draft: Annotated[
        bool, typer.Option("--draft", help="Write it, submit nothing.")
    ] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Print a case to start from; send nothing.")
    ] = False,
    key: Annotated[
        str | None,
        typer.Option(
            "--idempotency-key", help="Of your own; else one kept beside the file."
        ),
    ] = None,
    patience: Patience = 120.0,
) -> None:
    """Submit a case that lies in a file; run again, it is the same case."""
    if example:
        typer.echo(json.dumps(an_example(), indent=2, ensure_ascii=False))
        return
    if file is None:
        raise typer.BadParameter("Name a file, `-` for a pipe, or --example.")
    if key is not None and not is_word(key):
        raise typer.BadParameter("An --idempotency-key is one word of ASCII.")
    body = body_of(file, submits=not draft)
    try:
        with calling(Caller()) as http:
            chosen = key_for(file) if key is None else key
            headers = {"Idempotency-Key": chosen, "Content-Type": "application/json"}
            answer = persistently(
                lambda: http.post("/v1/cases", content=body, headers=headers), patience
            )
    except KeyboardInterrupt:
        note("Nobody knows whether it arrived. To find out, run the same again.")
        raise typer.Exit(INTERRUPTED) from None
    tell(answer, file)


def an_example() -> Json:
    """Take the contract's example, with a consent that was obtained today.

    Whether it is submitted is left to the command.
    """
    example = deepcopy(EXAMPLE)
    del example["submit"]
    now = utc_now().replace(microsecond=0)
    for consent in example["consents"]:
        consent["obtained_on"] = now.date().isoformat()
        consent["expires_at"] = (now + YEAR).isoformat()
    return example


def body_of(file: Path, *, submits: bool) -> bytes:
    """Read a case, and say in it whether it is submitted; raises CannotCall.

    Nothing is judged here but that it means one thing: the service says the rest.
    """
    text = read(file).removeprefix(MARK)
    try:
        must_be_strict(text)
    except JsonRefused as refused:
        raise CannotCall(f"{file}: {refused}{place(refused.__cause__)}") from None
    case = json.loads(text)
    if not isinstance(case, dict):
        raise CannotCall(f"{file}: a case is an object: see safe-conduct submit --example")
    if case.setdefault("submit", submits) is not submits:
        raise CannotCall(
            f"{file} says of `submit` otherwise than the command: leave it out."
        )
    return json.dumps(case, ensure_ascii=False).encode()


def read(file: Path) -> bytes:
    """Read a file or the pipe."""
    try:
        return sys.stdin.buffer.read() if file == PIPE else file.read_bytes()
    except OSError as error:
        raise CannotCall(f"{file} cannot be read: {error.strerror}.") from error


def place(error: BaseException | None) -> str:
    """Say where a text is not JSON, and nothing of what stands there."""
    if isinstance(error, json.JSONDecodeError):
        return f" See line {error.lineno}, column {error.colno}."
    return ""


def key_for(file: Path) -> str:
    """Choose the key of a request: it outlives this process, or is said before."""
    made = secrets.token_hex(16)
    if file == PIPE:
        note(f"To repeat this: --idempotency-key {made}")
        return made
    beside = file.with_name(f"{file.name}{BESIDE}")
    try:
        kept = keep_first(beside, made)
    except OSError as error:
        raise CannotCall(
            f"{beside} cannot be kept: {error.strerror}. Name one: --idempotency-key"
        ) from error
    if not kept:
        raise CannotCall(
            f"{beside} is empty: a run is about to begin, or ended before it sent "
            f"anything. If none is running, remove it, and run this again."
        )
    return kept


def keep_first(path: Path, text: str) -> str:
    """Write a file if it is not there, to the disk; return what is in it."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii", "replace").strip()
    with os.fdopen(made, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path)
    return text


def tell(answer: httpx.Response, file: Path) -> None:
    """Print the code of the case, and say what comes next; raises Refused and NoAnswer."""
    if (problem(answer) or {}).get("type") == REUSED:
        raise Refused(
            f"{refusal(answer)}\nIt was sent before, with other content, and is there. As "
            f"another case: copy {file}, or name another --idempotency-key."
        )
    case = good(answer)
    typer.echo(plain(str(case.get("code", ""))))
    again = answer.headers.get("Idempotent-Replayed") == "true"
    note(plain(f"{'It was there already. ' if again else ''}{now_of(case)}"))


def now_of(case: Mapping[str, Any]) -> str:
    """Say where a case is, and what to do next."""
    path = f"/v1/cases/{case.get('code')}"
    if case.get("state") == "draft":
        return f"It is a draft: nobody was told. To submit it: POST {path}/submit"
    due = f", who has until {case['due_at']}" if case.get("due_at") else ""
    return (
        f"It is {case.get('state')}, with {case.get('holder') or 'nobody'}{due}. What you "
        f"can do: GET {path}. What becomes of it: safe-conduct poll"
    )
