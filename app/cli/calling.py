"""Calling a running service from a shell: with a key nobody else sees, and with patience.

The key comes from the environment or a file, never from the command line, which every user
of the machine can read. It is sent over TLS alone, or to this machine.
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

from app.kernel.keyfile import must_be_closed
from app.settings import Caller

SECONDS: Final = 30.0
"""How long an answer may take, beside what it was asked to wait for news."""
SILENT: Final = 5.0
"""Seconds without an answer after which the command says that it waits."""
LONGEST_PAUSE: Final = 30.0
AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})
"""What may be otherwise later, whatever was asked (RFC 9110, 15)."""
NO_KEY: Final = """
There is no API key. Write it into a file that only you can read (chmod 600), and name the
file in SAFE_CONDUCT_API_KEY_FILE; or set SAFE_CONDUCT_API_KEY.
""".strip()
LATER: Final = """
See whether SAFE_CONDUCT_URL is right and the service runs. Run the same again later:
nothing is done twice.
""".strip().replace("\n", " ")
OTHER_KEY: Final = """
The key is wrong, was revoked or has ended: nothing was done, and no other file has to be
changed. Set a key that is valid in SAFE_CONDUCT_API_KEY_FILE or SAFE_CONDUCT_API_KEY, and
run the same again.
""".strip().replace("\n", " ")

type Ask = Callable[[], httpx.Response]
Patience = Annotated[
    float, typer.Option(min=0, help="Seconds in which it tries again, if that may help.")
]


class CallEnded(Exception):  # noqa: N818 - it says what happened, as Problem does
    """A command that calls a service ended otherwise than well."""

    code: ClassVar[int] = 1


class CannotCall(CallEnded):
    """Nothing was sent: a setting, a file or the key has to be mended first."""


class Refused(CallEnded):
    """The service refused; the same again is refused again."""

    code = 3


class WrongKey(CallEnded):
    """The service does not accept the key; nothing was done."""


class NoAnswer(CallEnded):
    """Nobody knows whether it was done; the same again is safe."""

    code = 4


def calling(caller: Caller, wait: float = 0) -> httpx.Client:
    """Be ready to call a service; its answers may be held back so many seconds more.

    It trusts whom the machine trusts, follows no redirect, and uses the proxy of the
    environment, but for this machine. Raises CannotCall and KeyRefused.
    """
    url, key = address(caller.url), key_of(caller)
    agent = f"safe-conduct/{version('safe-conduct')}"
    return httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {key}", "User-Agent": agent},
        timeout=httpx.Timeout(SECONDS, read=SECONDS + wait),
        verify=ssl.create_default_context(),
        trust_env=not is_here(url.host),
    )


def address(text: str) -> httpx.URL:
    """Read where the service is; raises CannotCall where the key could be overheard."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise CannotCall("SAFE_CONDUCT_URL is not an address.") from error
    if url.scheme not in {"https", "http"} or not url.host or url.userinfo or url.query:
        raise CannotCall("SAFE_CONDUCT_URL is an address such as https://example.org.")
    if url.scheme == "http" and not is_here(url.host):
        raise CannotCall(
            "SAFE_CONDUCT_URL begins with http://, and is not this machine: a case and "
            "your key would be read on the way. Use https://."
        )
    return url


def is_here(host: str) -> bool:
    """Say whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def key_of(caller: Caller) -> str:
    """Find the API key; raises CannotCall, and KeyRefused if others can read its file."""
    match caller.api_key, caller.api_key_file:
        case SecretStr() as given, None:
            key = given.get_secret_value()
        case None, Path() as path:
            key = read_key(path)
        case None, None:
            raise CannotCall(NO_KEY)
        case _:
            raise CannotCall(
                "SAFE_CONDUCT_API_KEY and SAFE_CONDUCT_API_KEY_FILE are both set: which?"
            )
    if not is_word(key.strip()):
        raise CannotCall("What is set as API key is none: it begins with sc_.")
    return key.strip()


def is_word(text: str) -> bool:
    """Say whether a header can carry it as it is."""
    return bool(text) and all("!" <= letter <= "~" for letter in text)


def read_key(path: Path) -> str:
    """Read the file of an API key."""
    try:
        must_be_closed(path)
        return path.read_text("ascii", "replace")
    except OSError as error:
        raise CannotCall(
            f"The key file {path} cannot be read: {error.strerror}."
        ) from error


def persistently(ask: Ask, patience: float, held: float = 0) -> httpx.Response:
    """Ask until there is an answer that counts; raises NoAnswer after so many seconds.

    `held` is how many seconds the service may hold the answer back.
    """
    gives_up = time.monotonic() + patience
    for pause in pauses():
        try:
            with announcing_wait(held):
                answer = ask()
        except httpx.HTTPError as trouble:
            must_be_trusted(trouble)
            why, wait = f"no answer ({type(trouble).__name__})", pause
        else:
            if answer.status_code not in AGAIN and "Retry-After" not in answer.headers:
                return answer
            why, wait = headline(answer), asked_to_wait(answer, pause)
        left = gives_up - time.monotonic() - wait
        if left < 0:
            raise NoAnswer(f"{why}. {LATER}")
        note(f"{why}; again in {wait:.0f} s, {describe_patience(left)}")
        time.sleep(wait)
    raise AssertionError  # pauses never end


def describe_patience(seconds: float) -> str:
    """Describe how long the command goes on trying after the next pause."""
    if math.isinf(seconds):
        return "until it answers; Ctrl-C ends this"
    return f"and then for {seconds:.0f} s at most (--patience)"


@contextmanager
def announcing_wait(held: float) -> Iterator[None]:
    """Say on standard error that an answer is waited for, if it takes long."""
    said = f"no answer yet from SAFE_CONDUCT_URL; this try waits {SECONDS + held:.0f} s"
    timer = Timer(SILENT + held, note, [said])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def pauses() -> Iterator[float]:
    """Wait longer each time, up to half a minute."""
    pause = 1.0
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


def asked_to_wait(answer: httpx.Response, pause: float) -> float:
    """Read how many seconds the service asks to wait; else as long as we would."""
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdigit() and int(told) else pause


def must_be_trusted(trouble: BaseException | None) -> None:
    """Raise CannotCall where a certificate is wrong: later, too, it would be."""
    while trouble is not None:
        if isinstance(trouble, ssl.SSLCertVerificationError):
            raise CannotCall(
                "The certificate of SAFE_CONDUCT_URL is not trusted here: "
                f"{trouble.verify_message}."
            ) from trouble
        trouble = trouble.__cause__ or trouble.__context__


def good(answer: httpx.Response) -> dict[str, Any]:
    """Read what was answered; raises WrongKey, Refused with the problem, and NoAnswer."""
    if answer.status_code == HTTPStatus.UNAUTHORIZED and problem(answer) is not None:
        raise WrongKey(f"{refusal(answer)}\n{OTHER_KEY}")
    if not answer.is_success:
        raise Refused(refusal(answer))
    try:
        return dict(answer.json())
    except (ValueError, TypeError) as error:
        raise NoAnswer(f"{answer.status_code}, but not as Safe Conduct answers.") from error


def refusal(answer: httpx.Response) -> str:
    """Write a problem for people: what it is, what to do, and where it is wrong."""
    said = problem(answer)
    if said is None:
        return f"{headline(answer)}. Is SAFE_CONDUCT_URL the address of Safe Conduct?"
    lines = [
        *(headline(answer), said.get("detail")),
        *(f"  {it.get('pointer')}: {it.get('detail')}" for it in listed(said, "errors")),
        *(f"  {it.get('need')}: {it.get('remedy')}" for it in listed(said, "unmet")),
        *(f"{name}: {said[name]}" for name in ("code", "instance") if name in said),
    ]
    return "\n".join(plain(str(line)) for line in lines if line)


def headline(answer: httpx.Response) -> str:
    """Write the status and what it is called."""
    said = problem(answer) or {}
    title = said.get("title") or phrase(answer.status_code)
    return plain(f"{answer.status_code} {title}".strip().removesuffix("."))


def phrase(status: int) -> str:
    """Name a status as HTTP does."""
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


def problem(answer: httpx.Response) -> dict[str, Any] | None:
    """Read a problem (RFC 9457), if it is one."""
    if answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        try:
            return dict(answer.json())
        except (ValueError, TypeError):
            pass
    return None


def listed(said: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Read a list of objects of a problem."""
    found = said.get(name)
    return (
        [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    )


def plain(text: str) -> str:
    """Let nothing through to a terminal that it would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def note(text: str) -> None:
    """Tell whoever watches, apart from what a program reads."""
    typer.echo(text, err=True)


def flowing(text: str) -> str:
    """Let lines of a paragraph run together: a terminal breaks them where it ends."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
