"""People who enrol with two others, and sign in with the passkeys of a test device."""

from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from httpx2 import Response

from app.cli.enrolment_command import create_enrolment
from app.kernel.actors import Role
from tests.support.authenticators import Authenticator, Credential
from tests.support.world import Json, Someone, World, unwrap

DEVICE: Final = Authenticator()


@dataclass
class Invited:
    """An enrolment with its two secrets. Only the newcomer knows both."""

    world: World
    id: str
    link: str
    code: str

    @property
    def secrets(self) -> Json:
        return {"link": self.link, "code": self.code}

    def ask_options(self, **changes: str) -> Response:
        return send_without_key(
            self.world, "/enrolments/redeem/options", self.secrets | changes
        )

    def redeem(
        self, device: Authenticator = DEVICE, **changes: str
    ) -> tuple[Credential, Response]:
        """Create a passkey with a device, and redeem the enrolment with this passkey."""
        made, response = device.create(unwrap(self.ask_options()))
        return made, self.send(response, **changes)

    def send(self, credential: Json, **changes: str) -> Response:
        body = self.secrets | {"credential": credential, "label": "work telephone"}
        return send_without_key(self.world, "/enrolments/redeem", body | changes)


@dataclass
class Office:
    """Two supervisors and a newcomer of one office, with API keys."""

    world: World
    code: str = "KZ_LEAD"
    first: Someone = field(init=False)
    second: Someone = field(init=False)
    newcomer: Someone = field(init=False)

    def __post_init__(self) -> None:
        add = self.world.add_person
        self.first, self.second = (add(self.code, {Role.SUPERVISOR}) for _ in range(2))
        self.newcomer = add(self.code)

    def begin(self, *, recovery: bool = False, of: Someone | None = None) -> Response:
        return begin_enrolment(self.first, of or self.newcomer, recovery=recovery)

    def open_enrolment(
        self, *, recovery: bool = False, of: Someone | None = None
    ) -> Invited:
        """Let two supervisors create an enrolment, by default for the newcomer."""
        made = unwrap(self.begin(recovery=recovery, of=of))
        shown = unwrap(self.second.send(f"/enrolments/{made['id']}/confirm"))
        return Invited(self.world, made["id"], made["link"], shown["code"])

    def enrol(self, device: Authenticator = DEVICE) -> tuple[Credential, Someone]:
        """Enrol the newcomer; return the passkey and the person with the session."""
        made, opened = self.open_enrolment().redeem(device)
        return made, replace(self.newcomer, key=unwrap(opened)["token"])


def create_operator_enrolment(
    world: World, who: Someone, *, recovery: bool = False
) -> Invited:
    """Create an enrolment as the command line does, without a second person."""
    account = who.actor.account_id
    made = create_enrolment(world.runtime, account, recovery=recovery)
    return Invited(world, "", made.link, made.code)


def begin_enrolment(who: Someone, of: Someone, *, recovery: bool = False) -> Response:
    account = str(of.actor.account_id)
    return who.create("/enrolments", {"account": account, "recovery": recovery})


def add_passkey(who: Someone) -> str:
    """Give a person a passkey, and return its id."""
    _, opened = create_operator_enrolment(who.world, who).redeem()
    [only] = unwrap(take_session(who, opened).get("/passkeys"))["items"]
    return str(only["id"])


def send_without_key(world: World, path: str, body: Json | None = None) -> Response:
    """Send a request without a credential."""
    return world.http.post(f"/v1{path}", json=body)


def request_options(world: World) -> Json:
    """Request the options of a sign-in."""
    return dict(unwrap(world.http.post("/v1/passkey-challenges")))


def sign_in(
    world: World, made: Credential, device: Authenticator = DEVICE, **body: str
) -> Response:
    """Sign in with a passkey and a new challenge."""
    return send(world, device.sign(made, request_options(world)), **body)


def send(world: World, credential: Json, **body: str) -> Response:
    """Send the response of a passkey to a challenge, to sign in."""
    return send_without_key(world, "/sessions/passkey", {"credential": credential, **body})


def take_session(who: Someone, opened: Response) -> Someone:
    """Return a person who uses the session that was opened."""
    return replace(who, key=unwrap(opened)["token"])


def get_person_id(who: Someone) -> UUID:
    assert who.actor.person_id is not None
    return who.actor.person_id
