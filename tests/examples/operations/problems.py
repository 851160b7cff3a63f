"""Examples of refused requests: one for each problem that many operations can return."""

from typing import Final

from app.kernel.actors import Role, Scope
from tests.examples.operations.bodies import make_case, make_consent, make_recipient
from tests.examples.operations.emergency import READING, prepare_helped_case
from tests.support.operation_player import Headers, Player
from tests.support.webhook_receivers import create_webhook
from tests.support.world import Someone, unwrap

STALE: Final[Headers] = {"If-Match": '"1.0123456789abcdef"'}
NO_VERSION: Final[Headers] = {"If-Match": ""}
NO_KEY: Final[Headers] = {"Idempotency-Key": ""}
TWO: Final[Headers] = {"Idempotency-Key": "2f6d1c9e-6a53-4bb5-9d0f-3c1f6f0f7d11"}


def play_problems(player: Player) -> None:
    """Play the example requests that the service refuses."""
    officer = player.world.add_person("UZ_CONSULATE_ALMATY")
    lead = player.world.add_person("KZ_LEAD")
    case = officer.submit(**make_case())
    code = str(case["code"])
    play_credentials(player, officer, code)
    play_shapes(player, officer, lead)
    play_versions(player, officer, lead, code)
    play_second_people(player)
    play_decided_access(player, officer, lead)


def play_credentials(player: Player, officer: Someone, code: str) -> None:
    """Send requests without credentials, or without the necessary scope, role or side."""
    stranger = player.world.add_person("JM_CONSULATE_PORT_OF_SPAIN")
    reader = player.world.add_person("KZ_LEAD", scopes={Scope.FEED_READ})
    supervisor = player.world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    ids = {"code": code}
    refuse(player, "unauthenticated", "get_case", None, **ids)
    refuse(player, "forbidden", "get_case", reader, **ids)
    refuse(player, "not-found", "get_case", stranger, **ids)
    refuse(player, "role-missing", "acknowledge_case", supervisor, **ids)
    refuse(player, "action-not-yours", "acknowledge_case", officer, **ids)


def refuse(
    player: Player, problem: str, name: str, one: Someone | None, **ids: str
) -> None:
    """Call an operation that needs no body and is refused, and record the problem."""
    player.play_refusal(problem, name, one, **ids)


def play_shapes(player: Player, officer: Someone, lead: Someone) -> None:
    """Send bodies, idempotency keys and a cursor that the service cannot accept."""

    def refuse_case(problem: str, body: object, headers: Headers | None = None) -> None:
        player.play_refusal(problem, "create_case", officer, body, headers=headers)

    summary = make_case()["summary"] | {"priority": "hurry", "language": None}
    refuse_case("request-invalid", make_case(summary=summary, colour="grey"))
    refuse_case("json-invalid", b'{"summary": {"country": "KZ", "country": "UZ"}}')
    unknown = make_consent(make_recipient(focal_point="KZ_NOBODY"))
    refuse_case("focal-point-unknown", make_case(consents=[unknown]))
    refuse_case("idempotency-key-missing", make_case(), NO_KEY)
    unwrap(officer.create("/cases", make_case(), TWO["Idempotency-Key"]))
    refuse_case("idempotency-key-reused", make_case(submit=True), TWO)
    foreign = {"after": "AAAAAAAAAAAAAAAAAAAAAA"}
    player.play_refusal("cursor-unknown", "list_events", lead, query=foreign)


def play_versions(player: Player, officer: Someone, lead: Someone, code: str) -> None:
    """Send actions that fail for their version, state, body, requirements or approval."""
    draft = unwrap(officer.create("/cases", make_case(consents=[])))
    body = {"reason": "SENT_IN_ERROR"}

    def refuse_step(
        problem: str, name: str, one: Someone, headers: Headers | None = None
    ) -> None:
        player.play_refusal(problem, name, one, headers=headers, code=code)

    refuse_step("version-stale", "acknowledge_case", lead, STALE)
    refuse_step("version-not-given", "acknowledge_case", lead, NO_VERSION)
    refuse_step("action-illegal", "submit_case", officer)
    player.play_refusal("body-unexpected", "acknowledge_case", lead, body, code=code)
    refuse(player, "needs-unmet", "submit_case", officer, code=str(draft["code"]))
    led = lead.take_lead(officer.submit(**make_case()))
    player.play_refusal(
        "approval-unusable",
        "close_case",
        lead,
        {"reason": "GOALS_MET", "person_informed": True},
        headers={"Approval": "7d9f5a34-2c1e-4b60-8f53-0a4de2b8c961"},
        code=str(led["code"]),
    )


def play_second_people(player: Player) -> None:
    """Try to approve one's own request and a decided one, and to use an ended webhook."""
    one, second = (player.world.add_person("KZ_LEAD", {Role.SUPERVISOR}) for _ in range(2))
    new = {"focal_point": "KZ_LEAD", "label": "duty 7", "kind": "person"}
    asked = unwrap(one.create("/accounts", new | {"roles": ["officer"]}))["id"]
    approval = {"approval_id": str(asked)}
    refuse(player, "not-a-second-person", "approve_approval", one, **approval)
    unwrap(second.send(f"/approvals/{asked}/refuse"))
    refuse(player, "approval-decided", "approve_approval", second, **approval)
    webhook = {"webhook_id": create_webhook(player.world, "KZ_LEAD").id}
    unwrap(one.create(f"/webhooks/{webhook['webhook_id']}/end", {}))
    refuse(player, "webhook-ended", "ping_webhook", one, **webhook)


def play_decided_access(player: Player, officer: Someone, lead: Someone) -> None:
    """Try to permit an emergency access that was refused."""
    shelter = player.world.add_person("KZ_SHELTER_KOGERSHIN")
    watcher = player.world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    code = prepare_helped_case(officer, lead, shelter)
    path = f"/cases/{code}/emergency-access"
    asked = str(unwrap(shelter.create(path, READING))["id"])
    unwrap(watcher.send(f"{path}/{asked}/refuse"))
    refuse(
        player,
        "emergency-access-decided",
        "grant_emergency_access",
        watcher,
        code=code,
        access_id=asked,
    )
