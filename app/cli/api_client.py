"""The HTTP client of the client commands, with TLS, retries and error output.

The API key is read from the environment or a file, because every user of the machine can
read command lines. The key is sent only over TLS or to this machine.
"""

import math
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from threading import Timer
from typing import Annotated, Any, ClassVar, Final

import httpx
import typer
from pydantic import SecretStr

from app.kernel.keyfile import require_owner_only
from app.settings import CallerSettings

ANSWER_SECONDS: Final = 30.0
"""Seconds to wait for a response, after the time for which the service may delay it."""
NOTE_AFTER: Final = 5.0
"""Seconds after which the command prints that no response has arrived yet."""
LONGEST_PAUSE: Final = 30.0
RETRYABLE: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Status codes after which any request is sent again (RFC 9110, 15)."""
NO_KEY: Final = """
There is no API key. Write it to a file that only you can read (chmod 600) and set
SAFE_CONDUCT_API_KEY_FILE to its path, or set SAFE_CONDUCT_API_KEY.
""".strip()
RETRY_LATER: Final = """
Check SAFE_CONDUCT_URL and whether the service is running. Then run the same command again;
nothing is done twice.
""".strip().replace("\n", " ")
WRONG_KEY: Final = """
The key is wrong, revoked or expired. Nothing was done, and only the key has to be changed.
Set a valid key in SAFE_CONDUCT_API_KEY_FILE or SAFE_CONDUCT_API_KEY, and run the same
command again.
""".strip().replace("\n", " ")

type Send = Callable[[], httpx.Response]
Patience = Annotated[float, typer.Option(min=0, help="Seconds to keep retrying.")]


class CallEnded(Exception):  # noqa: N818 - named by its meaning, like Problem
    """An error that ends a command. `code` is the exit code."""

    code: ClassVar[int] = 1


class CannotCall(CallEnded):
    """A setting, a file, the API key or the connection cannot be used."""


class Refused(CallEnded):
    """The service refused the request and would refuse it again."""

    code = 3


class WrongKey(CallEnded):
    """The service did not accept the API key. Nothing was done."""


class NoAnswer(CallEnded):
    """No valid response arrived, so the outcome is unknown. `submit` can be repeated."""

    code = 4


def build_client(
    caller: CallerSettings, wait: float = 0, *, needs_key: bool = True
) -> httpx.Client:
    """Return an HTTP client for the service; `wait` seconds are added to the read timeout.

    It follows no redirects. It uses the proxy that the environment sets, unless the service
    is on this machine. Raises CannotCall if the URL or the API key is not usable, and
    KeyRefused if other users can read the key file.
    """
    url = parse_url(caller.url)
    key = {"Authorization": f"Bearer {get_api_key(caller)}"} if needs_key else {}
    agent = f"safe-conduct/{version('safe-conduct')}"
    return httpx.Client(
        base_url=url,
        headers={**key, "User-Agent": agent},
        timeout=httpx.Timeout(ANSWER_SECONDS, read=ANSWER_SECONDS + wait),
        verify=ssl.create_default_context(),
        trust_env=not is_loopback(url.host),
    )


def parse_url(text: str) -> httpx.URL:
    """Parse a URL. Raises CannotCall if it is invalid, or if it is remote without TLS."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise CannotCall("SAFE_CONDUCT_URL is not a valid URL.") from error
    if url.scheme not in {"https", "http"} or not url.host or url.userinfo or url.query:
        raise CannotCall("SAFE_CONDUCT_URL must be a URL such as https://example.org.")
    if url.scheme == "http" and not is_loopback(url.host):
        raise CannotCall(
            "SAFE_CONDUCT_URL begins with http:// but is not this machine, so other people "
            "could read the case and your key. Use https://."
        )
    return url


def is_loopback(host: str) -> bool:
    """Return whether a host is `localhost` or a loopback address of this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def get_api_key(caller: CallerSettings) -> str:
    """Return the API key. Raises CannotCall if it is missing, malformed or set twice."""
    match caller.api_key, caller.api_key_file:
        case SecretStr() as given, None:
            key = given.get_secret_value()
        case None, Path() as path:
            key = read_key_file(path)
        case None, None:
            raise CannotCall(NO_KEY)
        case _:
            raise CannotCall(
                "SAFE_CONDUCT_API_KEY and SAFE_CONDUCT_API_KEY_FILE are both set: "
                "unset one of them."
            )
    if not is_word(key.strip()):
        raise CannotCall("The API key is malformed. A key begins with sc_.")
    return key.strip()


def is_word(text: str) -> bool:
    """Return whether a text is not empty and has only visible ASCII characters."""
    return bool(text) and all("!" <= letter <= "~" for letter in text)


def read_key_file(path: Path) -> str:
    """Read a key file. Raises KeyRefused if others can read it, or CannotCall on errors."""
    try:
        require_owner_only(path)
        return path.read_text("ascii", "replace")
    except OSError as error:
        raise CannotCall(
            f"The key file {path} cannot be read: {error.strerror}."
        ) from error


def send_with_retries(ask: Send, patience: float, hold: float = 0) -> httpx.Response:
    """Call `ask` until its response is final. Raises NoAnswer after `patience` seconds.

    The service may delay each response by up to `hold` seconds.
    """
    gives_up = time.monotonic() + patience
    for pause in generate_pauses():
        try:
            with report_wait(hold):
                answer = ask()
        except httpx.HTTPError as error:
            require_trusted(error)
            why, wait = f"no answer ({type(error).__name__})", pause
        else:
            if answer.status_code not in RETRYABLE and "Retry-After" not in answer.headers:
                return answer
            why, wait = format_headline(answer), get_retry_after(answer, pause)
        left = gives_up - time.monotonic() - wait
        if left < 0:
            raise NoAnswer(f"{why}. {RETRY_LATER}")
        print_note(f"{why}; retry in {wait:.0f} s, {describe_patience(left)}")
        time.sleep(wait)
    raise AssertionError  # pauses never end


def describe_patience(seconds: float) -> str:
    """Return a text that says how long the command retries; `seconds` may be infinite."""
    if math.isinf(seconds):
        return "until there is an answer; stop with Ctrl-C"
    return f"then for at most {seconds:.0f} s (--patience)"


@contextmanager
def report_wait(hold: float) -> Iterator[None]:
    """Print a note if the block takes longer than `hold` plus NOTE_AFTER seconds."""
    limit = ANSWER_SECONDS + hold
    text = f"no answer yet from SAFE_CONDUCT_URL; this try waits {limit:.0f} s"
    timer = Timer(NOTE_AFTER + hold, print_note, [text])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def generate_pauses() -> Iterator[float]:
    """Yield the seconds to wait before each retry: 1, 2, 4, 8, 16, and then always 30."""
    pause = 1.0
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


def get_retry_after(answer: httpx.Response, pause: float) -> float:
    """Return the seconds in the header `Retry-After` if they are positive, else `pause`."""
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() and int(value) else pause


def require_trusted(error: BaseException | None) -> None:
    """Raise CannotCall if an untrusted certificate caused the error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            raise CannotCall(
                "This machine does not trust the certificate of SAFE_CONDUCT_URL: "
                f"{error.verify_message}."
            ) from error
        error = error.__cause__ or error.__context__


def read_answer(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON of a successful response, or raise WrongKey, Refused or NoAnswer."""
    if answer.status_code == HTTPStatus.UNAUTHORIZED and parse_problem(answer) is not None:
        raise WrongKey(f"{describe_refusal(answer)}\n{WRONG_KEY}")
    if not answer.is_success:
        raise Refused(describe_refusal(answer))
    try:
        return dict(answer.json())
    except (ValueError, TypeError) as error:
        raise NoAnswer(
            f"The response with status {answer.status_code} is not from Safe Conduct."
        ) from error


def describe_refusal(answer: httpx.Response) -> str:
    """Return an error response as text, with the faulty fields and unmet requirements."""
    problem = parse_problem(answer)
    if problem is None:
        return f"{format_headline(answer)}. Is SAFE_CONDUCT_URL the URL of Safe Conduct?"
    faults, unmet = get_objects(problem, "errors"), get_objects(problem, "unmet")
    members = [name for name in ("code", "instance") if name in problem]
    lines = [
        format_headline(answer),
        problem.get("detail"),
        *(f"  {item.get('pointer')}: {item.get('detail')}" for item in faults),
        *(f"  {item.get('requirement')}: {item.get('remedy')}" for item in unmet),
        *(f"{name}: {problem[name]}" for name in members),
    ]
    return "\n".join(escape_unprintable(str(line)) for line in lines if line)


def format_headline(answer: httpx.Response) -> str:
    """Return the status code and the title of a response as text."""
    problem = parse_problem(answer) or {}
    title = problem.get("title") or get_phrase(answer.status_code)
    return escape_unprintable(f"{answer.status_code} {title}".strip().removesuffix("."))


def get_phrase(status: int) -> str:
    """Return the reason phrase of a status code, or an empty string if it is unknown."""
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


def parse_problem(answer: httpx.Response) -> dict[str, Any] | None:
    """Return the problem in a response (RFC 9457), or None if there is none."""
    if answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        try:
            return dict(answer.json())
        except (ValueError, TypeError):
            pass
    return None


def get_objects(problem: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects in the list `name` of a problem, if there are any."""
    found = problem.get(name)
    items = found if isinstance(found, list) else []
    return [item for item in items if isinstance(item, dict)]


def escape_unprintable(text: str) -> str:
    """Return the text with unprintable characters replaced by question marks."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def print_note(text: str) -> None:
    """Print a note to standard error."""
    typer.echo(text, err=True)


def join_lines(text: str) -> str:
    """Return the text with each paragraph on one line, so that the terminal wraps it."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
