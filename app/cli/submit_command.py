"""The `submit` command. Repeating it for the same file does not submit a case twice.

A random Idempotency-Key makes the request safe to repeat. The key is written to a file next
to the case before anything is sent. The key is not a digest of the content: a digest could
confirm a guess about a person, and the cases of two people can have the same content.
"""

import json
import secrets
import sys
from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from app.api.http.strict_json import JsonInvalid, parse_strict_json
from app.casework.example import EXAMPLE
from app.cli.api_client import (
    CannotCall,
    Patience,
    Refused,
    build_client,
    describe_refusal,
    escape_unprintable,
    is_word,
    join_lines,
    parse_problem,
    print_note,
    read_answer,
    send_with_retries,
)
from app.clock import get_utc_now
from app.kernel import durable
from app.settings import CallerSettings

STDIN: Final = Path("-")
KEY_SUFFIX: Final = ".idempotency-key"
KEY_REUSED: Final = "/problems/idempotency-key-reused"
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark that some editors write at the start of a UTF-8 file."""
INTERRUPTED: Final = 130
"""The exit code of a command that was stopped with Ctrl-C."""
YEAR: Final = timedelta(days=365)
ABOUT: Final = join_lines("""
Submit a case from a JSON file. Repeating the command does not create a second case.

Prints the code of the case; prints to standard error which office has it. An idempotency
key is stored beside the file (`case.json.idempotency-key`). To submit the same content as
another case, copy the file. If the input is a pipe, pass --idempotency-key so that you can
repeat the command.

SAFE_CONDUCT_URL is the URL of the service. SAFE_CONDUCT_API_KEY_FILE is a file with the
API key, which only you can read; or set the key in SAFE_CONDUCT_API_KEY.

Exit codes: 0: the case is stored. 1: nothing was done, because a setting, the key or the
file is wrong. 2: wrong usage. 3: the service refused; correct what it names, then run the
command again. 4: the outcome is unknown; run the same command again. 130: Ctrl-C.
""")

type Json = dict[str, Any]


def submit(
    file: Annotated[
        Path | None,
        typer.Argument(help="File with the case as JSON; `-` for standard input."),
    ] = None,
    *,
    draft: Annotated[
        bool, typer.Option("--draft", help="Store a draft; do not submit it.")
    ] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Print an example case and exit.")
    ] = False,
    key: Annotated[
        str | None,
        typer.Option(
            "--idempotency-key", help="Default: one that is stored beside the file."
        ),
    ] = None,
    patience: Patience = 120.0,
) -> None:
    """Submit a case from a file, or print an example."""
    if example:
        typer.echo(json.dumps(build_example(), indent=2, ensure_ascii=False))
        return
    if file is None:
        raise typer.BadParameter("Give a file, `-` for standard input, or --example.")
    if key is not None and not is_word(key):
        raise typer.BadParameter("--idempotency-key must be ASCII without spaces.")
    body = build_body(file, submits=not draft)
    try:
        with build_client(CallerSettings()) as http:
            chosen = choose_key(file) if key is None else key
            headers = {"Idempotency-Key": chosen, "Content-Type": "application/json"}
            answer = send_with_retries(
                lambda: http.post("/v1/cases", content=body, headers=headers), patience
            )
    except KeyboardInterrupt:
        print_note("The outcome is unknown. Run the same command again to find out.")
        raise typer.Exit(INTERRUPTED) from None
    print_result(answer, file)


def build_example() -> Json:
    """Return the example of the API documentation, with consents that were obtained today.

    The example has no member `submit`, because the command sets it.
    """
    example = deepcopy(EXAMPLE)
    del example["submit"]
    now = get_utc_now().replace(microsecond=0)
    for consent in example["consents"]:
        consent["obtained_on"] = now.date().isoformat()
        consent["expires_at"] = (now + YEAR).isoformat()
    return example


def build_body(file: Path, *, submits: bool) -> bytes:
    """Return the case in a file as a request body, with the member `submit`.

    Raises CannotCall if the file cannot be read, is not a JSON object, or has another value
    of `submit`.
    """
    text = read_input(file).removeprefix(BYTE_ORDER_MARK)
    try:
        parse_strict_json(text)
    except JsonInvalid as refused:
        position = describe_position(refused.__cause__)
        raise CannotCall(f"{file}: {refused}{position}") from None
    case = json.loads(text)
    if not isinstance(case, dict):
        raise CannotCall(
            f"{file} must contain a JSON object. For an example, run: "
            "safe-conduct submit --example"
        )
    if case.setdefault("submit", submits) is not submits:
        raise CannotCall(
            f"`submit` in {file} contradicts the command. Remove it from the file."
        )
    return json.dumps(case, ensure_ascii=False).encode()


def read_input(file: Path) -> bytes:
    """Return the content of a file or standard input, or raise CannotCall on an error."""
    try:
        return sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
    except OSError as error:
        raise CannotCall(f"{file} cannot be read: {error.strerror}.") from error


def describe_position(error: BaseException | None) -> str:
    """Return the position of a JSON error, if known, without quoting the document."""
    if isinstance(error, json.JSONDecodeError):
        return f" See line {error.lineno}, column {error.colno}."
    return ""


def choose_key(file: Path) -> str:
    """Return the idempotency key stored beside a file, or a new key for standard input.

    If no key is stored yet, a new key is stored. Raises CannotCall if the key file cannot
    be written or read, or is empty.
    """
    made = secrets.token_hex(16)
    if file == STDIN:
        print_note(f"To repeat this, use --idempotency-key {made}")
        return made
    key_file = file.with_name(f"{file.name}{KEY_SUFFIX}")
    try:
        stored = write_once(key_file, made)
    except OSError as error:
        raise CannotCall(
            f"{key_file} cannot be written or read: {error.strerror}. Use "
            "--idempotency-key KEY."
        ) from error
    if not stored:
        raise CannotCall(
            f"{key_file} is empty: another run is starting, or ended before it sent "
            f"anything. If none is running, remove the file and run the command again."
        )
    return stored


def write_once(path: Path, text: str) -> str:
    """Create a file with a text unless the file exists, and return its content."""
    try:
        durable.create(path, f"{text}\n")
    except FileExistsError:
        return path.read_text("ascii", "replace").strip()
    return text


def print_result(answer: httpx.Response, file: Path) -> None:
    """Print the code and next step of a case, or raise the exceptions of `read_answer`."""
    if (parse_problem(answer) or {}).get("type") == KEY_REUSED:
        raise Refused(
            f"{describe_refusal(answer)}\nA case with different content was already "
            f"submitted with this key. To submit another case, use a copy of {file} or "
            "another --idempotency-key."
        )
    case = read_answer(answer)
    typer.echo(escape_unprintable(str(case.get("code", ""))))
    replayed = answer.headers.get("Idempotent-Replayed") == "true"
    repeated = "It existed already. " if replayed else ""
    print_note(escape_unprintable(f"{repeated}{describe_state(case)}"))


def describe_state(case: Mapping[str, Any]) -> str:
    """Return sentences about the state and the holder of a case, and the next step."""
    path = f"/v1/cases/{case.get('code')}"
    if case.get("state") == "draft":
        return f"The case is a draft and was not sent. To submit it: POST {path}/submit"
    due = f", due {case['due_at']}" if case.get("due_at") else ""
    return (
        f"The case is {case.get('state')}, with {case.get('holder') or 'no office'}{due}. "
        f"Available actions: GET {path}. Events: safe-conduct poll"
    )
