"""A case in which three offices help, and the causes that end the part of each of them.

An office must not learn why its part ended: the person may fear it, or may have claimed
asylum. After each cause, it must therefore read and receive the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.kernel.actors import Role
from tests.databases.failpoints.sweeping import Ids
from tests.support.moved_cases import CONSULATE, Asked, prepare, read_all
from tests.support.relation_pairs import READERS
from tests.support.returns import HOME, NO_GO, TOLD, Homecoming, create_return
from tests.support.world import (
    Json,
    World,
    get_path,
    make_acceptance,
    make_service_consent,
    unwrap,
)

SHELTER: Final = "KZ_SHELTER_KOGERSHIN"
GUARDS: Final[Json] = {"country_of_origin": "UZ", "origin_contact": "permitted"}


@dataclass
class Helped:
    """A case with a return, a consulate that has to act in it, and a shelter."""

    ids: Ids
    homecoming: Homecoming
    readers: Mapping[str, Asked]
    """What each office reads, by the office."""

    def withdraw(self, office: str, reason: str) -> None:
        """Take the referral to an office back, as the lead."""
        sent = self.readers[office].referral or {}
        unwrap(self.homecoming.lead.does("withdraw", sent, {"reason": reason}))

    def end_by_refusal(self) -> None:
        """Take the decision NO-GO, with the approval of a supervisor."""
        unwrap(self.homecoming.does("lead", "no-go", NO_GO))

    def call_off(self) -> None:
        """Record as the lead that the person does not want to return."""
        assert self.homecoming.does("lead", "call-off", {}).is_success

    def stop(self) -> None:
        """Stop the case, as the person wants."""
        why = {"reason": "SURVIVOR_REQUEST"}
        unwrap(self.homecoming.lead.does("stop", self.homecoming.case, why))


def withdraw(office: str, reason: str = "SURVIVOR_DECLINED") -> Callable[[Helped], None]:
    return lambda made: made.withdraw(office, reason)


def withdraw_consents(purpose: str) -> Callable[[Helped], None]:
    return lambda made: made.homecoming.withdraw_consents(purpose)


def write_safeguards(**content: Any) -> Callable[[Helped], None]:
    return lambda made: made.homecoming.write_safeguards(**GUARDS | content)


ENDS_OF_RETURN: Final[Mapping[str, Callable[[Helped], None]]] = {
    "consent to return withdrawn": withdraw_consents("RETURN"),
    "fear of the State": write_safeguards(fear_of_state=True),
    "claim of asylum": write_safeguards(seeks_asylum=True),
    "contact blocked": write_safeguards(origin_contact="blocked"),
    "return refused": Helped.end_by_refusal,
    "return called off": Helped.call_off,
    "case stopped": Helped.stop,
}
CAUSES: Final[Mapping[str, Mapping[str, Callable[[Helped], None]]]] = {
    CONSULATE: {
        **ENDS_OF_RETURN,
        "taken back": withdraw(CONSULATE),
        "sent in error": withdraw(CONSULATE, "SENT_IN_ERROR"),
        "consent withdrawn": withdraw_consents("CONSULAR_DOCUMENT"),
        "feared": write_safeguards(unsafe_focal_points=[CONSULATE]),
        "return taken back": withdraw(HOME),
        "recipient of the return feared": write_safeguards(unsafe_focal_points=[HOME]),
    },
    HOME: {
        **ENDS_OF_RETURN,
        "taken back": withdraw(HOME),
        "sent in error": withdraw(HOME, "SENT_IN_ERROR"),
        "feared": write_safeguards(unsafe_focal_points=[HOME]),
    },
    SHELTER: {
        "taken back": withdraw(SHELTER),
        "sent in error": withdraw(SHELTER, "SENT_IN_ERROR"),
        "consent withdrawn": withdraw_consents("SHELTER"),
        "feared": write_safeguards(unsafe_focal_points=[SHELTER]),
        "case stopped": Helped.stop,
    },
}
"""The causes that end the part of each office."""
USUAL: Final = "taken back"
"""The cause that each other cause is compared with."""


def build_case(world: World, ids: Ids) -> Helped:
    """Create a case whose return waits for the consulate, and that a shelter accepted."""
    made = prepare(world, ids, consents=[make_service_consent()])
    lead, case = made.lead, made.case
    supervisor = world.add_person(lead.code, {Role.SUPERVISOR})
    helpers = {one: world.add_person(one, READERS) for one in (HOME, SHELTER)}
    home = unwrap(lead.refer(case, HOME, service="RETURN", sections=[]))
    bed = unwrap(lead.refer(case, SHELTER))
    for helper, sent in ((helpers[HOME], home), (helpers[SHELTER], bed)):
        unwrap(helper.does("accept", sent, make_acceptance()))
    made.does("accept", make_acceptance())
    record = unwrap(create_return(lead, home))
    for action, body in (("inform", TOLD), ("permit-contact", None)):
        unwrap(lead.does(action, record, body))
    made.record = record
    readers = {
        CONSULATE: made,
        HOME: Asked(world, ids, lead, helpers[HOME], case, home, record),
        SHELTER: Asked(world, ids, lead, helpers[SHELTER], case, bed),
    }
    homecoming = Homecoming(
        world, made.consulate, lead, helpers[HOME], supervisor, case, home, record
    )
    return Helped(ids, homecoming, readers)


def play_ending(made: Helped, office: str, cause: str) -> dict[str, Any]:
    """End the part of an office by a cause; return what the office reads from then on."""
    world, reader = made.homecoming.world, made.readers[office]
    reader.answers, reader.names = {}, {}
    world.advance(minutes=10)
    made.ids.begin(cause)
    CAUSES[office][cause](made)
    made.ids.begin("ended")
    read_all(reader, "ended")
    world.wait(days=9)
    read_all(reader, "late")
    path = get_path(reader.referral or {})
    tag = reader.consulate.get(path).headers["ETag"]
    answer = reader.consulate.send(f"{path}/confirm-deletion", if_match=tag)
    reader.store_answer("confirms", answer)
    assert answer.is_success, answer.text
    read_all(reader, "confirmed")
    return reader.answers
