"""An approval that has ended stays unusable, whatever is restored in the database (ADR 80).

Each attack changes or restores rows by SQL. The control is the answer without the attack.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from httpx2 import Response
from structlog.testing import capture_logs

from app.access.credentials import get_prefix
from app.access.models import Account, Approval, ApprovalState
from app.cli import operator_actions
from app.kernel.actors import Role
from tests.support.account_changes import add, approve, get_account_path, get_approval_id
from tests.support.authenticators import Authenticator
from tests.support.database_attacks import BEFORE, Attacker, Row
from tests.support.databases import record_statements
from tests.support.passkeys import Invited, Office, add_passkey, begin_enrolment
from tests.support.world import Json, Someone, World, get_problem, make_closure, unwrap

UNUSABLE = (409, "approval-unusable")
MISSING = (404, "not-found")
HIDDEN: list[Row] = [
    {"lapses_at": BEFORE},
    {"decided_by": None},
    {"decision": ApprovalState.REFUSED},
    {"decision": ApprovalState.EXPIRED, "lapses_at": BEFORE},
    {"asked_by": UUID(int=1)},
    {"id": UUID(int=1)},
    {"subject": "accounts", "case_id": None},
]


@dataclass
class Closing:
    """A case, and an approval, which is given, for closing it."""

    lead: Someone
    approver: Someone
    case: Json
    approval: str
    attacker: Attacker
    row: Row

    @property
    def world(self) -> World:
        return self.lead.world

    @property
    def decision(self) -> ApprovalState:
        decision: ApprovalState = self.attacker.find(Approval, id=self.row["id"])[
            "decision"
        ]
        return decision

    def use(self) -> Response:
        body = make_closure()
        return self.lead.does("close", self.case, body, approval=self.approval)

    def reopen(self) -> None:
        """Stop the case, which ends the approval, and reopen it."""
        stop = {"reason": "SURVIVOR_REQUEST", "note": "Enough"}
        unwrap(self.lead.does("stop", self.case, stop))
        unwrap(self.lead.does("reopen", self.case, {"reason": "NEW_NEED", "note": "x"}))

    def alter(self, **values: Any) -> None:
        self.attacker.update(Approval, self.row["number"], **values)

    def expect_unusable(self) -> None:
        """Restore the row as it was when the approval was given, and try to use it."""
        self.alter(**self.row)
        assert get_problem(self.use()) == UNUSABLE


@pytest.fixture
def closing(officer: Someone, lead: Someone, supervisor: Someone) -> Closing:
    case = lead.take_lead(officer.submit())
    asked = get_approval_id(lead.does("close", case, make_closure()))
    unwrap(approve(supervisor, asked))
    attacker = Attacker(lead.world)
    row = attacker.find(Approval, id=UUID(asked))
    return Closing(lead, supervisor, case, asked, attacker, row)


def revoke_key(who: Someone, of: Someone) -> Response:
    return who.send(f"{get_account_path(of)}/keys/{get_prefix(of.key)}/revoke")


def count_alarms(logs: list[Any]) -> int:
    return sum(line["event"] == "row.forged" for line in logs)


def test_approval_that_expired_with_a_step_is_not_restored(closing: Closing) -> None:
    closing.reopen()
    assert closing.decision == ApprovalState.EXPIRED
    assert get_problem(closing.use()) == UNUSABLE

    closing.expect_unusable()


@pytest.mark.parametrize(
    ("altered", "decision"),
    [
        ({"facts": {"reason": "OTHER"}}, ApprovalState.EXPIRED),
        ({"asked_by": UUID(int=1)}, ApprovalState.APPROVED),
    ],
    ids=["facts", "asked by nobody"],
)
def test_altered_approval_does_not_stop_a_step(
    closing: Closing, altered: Row, decision: ApprovalState
) -> None:
    closing.alter(**altered)
    closing.reopen()

    assert closing.decision == decision
    assert get_problem(closing.use()) == UNUSABLE


def test_altered_approval_that_expired_with_a_step_is_not_restored(
    closing: Closing,
) -> None:
    closing.alter(facts={"reason": "OTHER"})
    closing.reopen()

    closing.expect_unusable()


def test_step_without_approvals_takes_one_statement_for_them(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    stop = {"reason": "SURVIVOR_REQUEST", "note": "Enough"}
    with record_statements(world.database) as statements:
        unwrap(lead.does("stop", case, stop))

    assert sum("approval" in one for one in statements) == 1


@pytest.mark.parametrize("hidden", HIDDEN, ids="-".join)
def test_approval_hidden_while_a_key_is_revoked_is_not_restored(
    closing: Closing, hidden: Row
) -> None:
    closing.alter(**hidden)
    unwrap(revoke_key(closing.approver, closing.approver))

    closing.expect_unusable()


def test_deleted_approval_is_not_restored_after_a_key_was_revoked(closing: Closing) -> None:
    closing.attacker.delete(Approval, closing.row["number"])
    with capture_logs() as logs:
        unwrap(revoke_key(closing.approver, closing.approver))
    alarms = [line["row"] for line in logs if line["event"] == "row.forged"]
    assert alarms == [str(closing.lead.actor.account_id)]

    closing.attacker.insert(Approval, closing.row)
    assert get_problem(closing.use()) == UNUSABLE


type End = Callable[[World, Someone], object]


def end_by_role(world: World, approver: Someone) -> None:
    """Revoke a role of the account that approved, and let two people grant it again."""
    office = Office(world, approver.code)
    path, roles = get_account_path(approver), {"roles": [Role.SUPERVISOR]}
    unwrap(office.first.send(f"{path}/revoke-roles", roles))
    granted = get_approval_id(add(office.first, f"{path}/grant-roles", roles))
    unwrap(approve(office.second, granted))
    unwrap(add(office.first, f"{path}/grant-roles", roles, granted))


def end_by_recovery(world: World, approver: Someone) -> None:
    office = Office(world, approver.code)
    add_passkey(approver)
    made = unwrap(begin_enrolment(office.first, approver, recovery=True))
    code = unwrap(office.second.send(f"/enrolments/{made['id']}/confirm"))["code"]
    _, opened = Invited(world, made["id"], made["link"], code).redeem(Authenticator())
    assert opened.status_code == 201


def end_by_operator(world: World, approver: Someone) -> None:
    operator_actions.revoke_key(world.runtime, get_prefix(approver.key))


@pytest.mark.parametrize("end", [end_by_role, end_by_recovery, end_by_operator])
@pytest.mark.parametrize("hidden", [{}, {"decided_by": None}], ids=["control", "hidden"])
def test_approval_ends_with_the_rights_of_the_account_that_gave_it(
    closing: Closing, end: End, hidden: Row
) -> None:
    if hidden:
        closing.alter(**hidden)
    end(closing.world, closing.approver)
    if hidden:
        closing.alter(**closing.row)

    assert get_problem(closing.use()) == UNUSABLE


def test_approvals_of_others_stay_valid_when_a_key_is_revoked(closing: Closing) -> None:
    other = closing.world.add_person("UZ_LEAD")
    with capture_logs() as logs:
        unwrap(revoke_key(other, other))
    assert count_alarms(logs) == 0

    unwrap(closing.use())


def test_approval_that_an_earlier_version_expired_raises_no_alarm(closing: Closing) -> None:
    """Earlier versions expired approvals with a case, and left their digests."""
    closing.alter(decision=ApprovalState.EXPIRED, lapses_at=closing.world.now)
    with capture_logs() as logs:
        refused = closing.approver.send(f"/approvals/{closing.approval}/refuse")
        unwrap(revoke_key(closing.approver, closing.approver))

    assert get_problem(refused) == (409, "approval-decided")
    assert count_alarms(logs) == 0


def test_altered_account_does_not_keep_a_key_from_being_revoked(closing: Closing) -> None:
    account = closing.lead.actor.account_id
    closing.attacker.update(Account, account, roles=sorted(Role))
    unwrap(revoke_key(closing.approver, closing.approver))

    assert closing.decision == ApprovalState.EXPIRED


ENDINGS = [
    ("refuse", {"decision": ApprovalState.REFUSED}),
    ("refuse", {"decision": ApprovalState.EXPIRED}),
    ("refuse", {"roles": ["analyst"]}),
    ("withdraw", {"decision": ApprovalState.WITHDRAWN}),
    ("withdraw", {"decision": ApprovalState.USED}),
    ("withdraw", {"asked_by": UUID(int=1)}),
]


def send(closing: Closing, action: str) -> Response:
    who = closing.approver if action == "refuse" else closing.lead
    return who.send(f"/approvals/{closing.approval}/{action}")


@pytest.mark.parametrize(("action", "altered"), ENDINGS, ids=str)
def test_altered_approval_is_ended_although_it_is_not_found(
    closing: Closing, action: str, altered: Row
) -> None:
    """A refusal or a withdrawal is not lost if the row looks as if it had ended."""
    closing.alter(**altered)
    with capture_logs() as logs:
        assert get_problem(send(closing, action)) == MISSING
    assert count_alarms(logs) > 0

    closing.expect_unusable()


@pytest.mark.parametrize("action", ["refuse", "withdraw"])
def test_repeated_ending_is_answered_as_before(closing: Closing, action: str) -> None:
    first = unwrap(send(closing, action))
    closing.world.advance(hours=1)
    assert unwrap(send(closing, action)) == first
    closing.world.advance(days=20)
    with capture_logs() as logs:
        assert unwrap(send(closing, action))["decision"] == first["decision"]
    assert count_alarms(logs) == 0
