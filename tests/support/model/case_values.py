"""The state of one modelled case, the offices that may see it, and their next actions.

predictions.py makes predictions from these values. They are written from LIFECYCLES.md,
sections 1 to 3 and 5, and from the independent copies of its tables in tests/rules, never
from the code. Where docs/adr differs from LIFECYCLES.md, the values follow docs/adr. Times
are in minutes from now. The person is in Kazakhstan and comes from Uzbekistan; the consents
and the safeguards vary.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any, Final

from tests.rules import test_case_table as of_case
from tests.rules import test_handover_table as of_handover
from tests.rules import test_referral_table as of_referral

type Verdict = tuple[str, ...]
type Met = Callable[[str], bool]
type View = tuple[Any, ...]
type Record = tuple[str, int]
"""The kind of a record, and its number; the case has the number 0."""

OK, GONE, NOT_FOUND = ("ok",), ("gone",), ("not-found",)
NOT_YOURS, ILLEGAL = ("action-not-yours",), ("action-illegal",)
ROLE_MISSING, UNFIT = ("role-missing",), ("recipient-unfit",)
LOOP = ("redirect-loop",)
THE_CASE: Final[Record] = ("case", 0)
HOUR: Final = 60
DAY: Final = 24 * HOUR

POST, KZ, NGO, UZ = "UZ_CONSULATE_ALMATY", "KZ_LEAD", "SANA_SEZIM", "UZ_LEAD"
SHELTER, LAWYER, DESK = "KZ_SHELTER_KOGERSHIN", "KZ_LEGAL_AID", "DESK_CENTRAL_ASIA"
OVERSIGHT, STRANGER = "OVERSIGHT_DEMO", "JM_CONSULATE_PORT_OF_SPAIN"
LEADERS: Final = (KZ, NGO, UZ)
SHORTLIST: Final = (KZ, NGO)
"""The candidates in Kazakhstan in order (section 8, rule 7); UZ leads by handover only."""

SERVICES: Final = {SHELTER: "SHELTER", LAWYER: "LEGAL_AID"}
FOR_SAFETY: Final = frozenset({"SHELTER"})
HELPS: Final = frozenset({SHELTER, LAWYER, KZ, NGO, UZ, POST})
CASE_OPEN: Final = frozenset(f"submitted under_review {of_case.LED}".split())
UNLED: Final = frozenset({"draft", "submitted", "under_review"})
LED: Final = frozenset(of_case.LED.split())
ALIVE: Final = frozenset(of_referral.ALIVE.split())
HELPED: Final = frozenset(of_referral.HELPED_OF.split())
STOPPED: Final = frozenset(of_referral.ENDED.split())
PAST: Final = frozenset({"former_lead", "former_recipient"})
OF_ORIGIN: Final = frozenset({UZ, POST})
"""Offices of the State of origin, which do not see helpers outside this State (ADR 20)."""
HOLDS: Final = ("lead", "candidate", "desk")
HOLDS_FOR: Final = {"low": 7 * DAY, "high": 72 * HOUR}
"""The minutes for which an assessment of the risk is current, by its level."""

BROUGHT: Final = frozenset(
    {
        "reason",
        "two_contacts",
        "review_date",
        "schedule",
        "person_informed",
        "second_person",
        "focal_point_chosen",
        "question",
        "consent_to_answer",
        "meeting",
        "alternative",
        "person_met",
        "outcome",
        "feedback",
        "capacity",
    }
)
"""Requirements that a request itself meets; all others must be met before it is sent."""

REFUSALS: Final = (ROLE_MISSING, NOT_YOURS, ILLEGAL)
"""Reasons to refuse an action; the first one that applies is the verdict."""


@dataclass(frozen=True)
class Actor:
    """An account, given by its office and its roles."""

    focal_point: str
    roles: frozenset[str] = frozenset({"officer", "caseworker", "coordinator"})


ACTORS: Final = {
    **{code: Actor(code) for code in (POST, *LEADERS, SHELTER, LAWYER, DESK, STRANGER)},
    "KZ_CASEWORKER": Actor(KZ, frozenset({"caseworker"})),
    OVERSIGHT: Actor(OVERSIGHT, frozenset({"caseworker", "protection_officer"})),
}


@dataclass(frozen=True)
class ConsentTerms:
    """A possible consent: its recipients, its purposes and its sections."""

    to: frozenset[str]
    purposes: frozenset[str]
    sections: frozenset[str] = frozenset({"needs", "contact"})


HELP: Final = frozenset({"SHELTER", "LEGAL_AID"})
CONSENTS: Final = {
    "refer": ConsentTerms(frozenset({KZ}), frozenset({"REFER"})),
    "refer_ngo": ConsentTerms(frozenset({NGO}), frozenset({"REFER"})),
    "refer_uz": ConsentTerms(frozenset({UZ}), frozenset({"REFER"})),
    "services": ConsentTerms(frozenset({SHELTER, LAWYER, NGO}), HELP),
    "shelter": ConsentTerms(frozenset({SHELTER}), HELP, frozenset({"needs", "identity"})),
    "lead_ngo": ConsentTerms(frozenset({NGO}), frozenset({"HANDOVER"})),
    "lead_uz": ConsentTerms(frozenset({UZ}), frozenset({"HANDOVER"})),
    "lead_kz": ConsentTerms(frozenset({KZ}), frozenset({"HANDOVER"})),
}
BY_DESK: Final = "desk_state"
"""The consent, recorded by a desk, to State offices of Kazakhstan as the new lead."""
TERMS: Final = CONSENTS | {
    BY_DESK: ConsentTerms(frozenset({KZ}), frozenset({"REFER"}), frozenset({"needs"})),
}
FEARS: Final = {
    "nothing": frozenset[str](),
    "permitted": frozenset[str](),
    "blocked": frozenset({UZ, POST}),
    "lead": frozenset({KZ}),
    "shelter": frozenset({SHELTER}),
}
"""The unsafe offices by kind of safeguards. Only "permitted" permits contact with UZ."""


@dataclass(frozen=True)
class Consent:
    """A recorded consent, which may have been withdrawn."""

    kind: str
    recorded_by: str
    is_valid: bool = True


@dataclass(frozen=True)
class Clock:
    """A deadline of a record: its kind, the office that has to act, and its times.

    Times are in minutes. They are None for a deadline in working days, which depends on a
    calendar.
    """

    record: Record
    kind: str
    office: str | None
    length: int | None
    left: int | None
    reported: int = 0
    """The number of misses that were reported."""


@dataclass(frozen=True)
class MissedDeadline:
    """A missed deadline, with its audience and the number of its misses until then."""

    record: Record
    kind: str
    count: int
    audience: frozenset[str]
    had_lead: bool
    """Whether the case had a lead; the submitter then gets the event without its facts."""
    is_now: bool = True
    """Whether the miss is at the current time; if so, adding a lead sets `had_lead`."""


@dataclass(frozen=True)
class Question:
    """A question to the submitter."""

    is_answered: bool = False
    paused_time: int | None = None
    """The time that is left when the deadline of the question is resumed."""


@dataclass(frozen=True)
class Referral:
    """A referral. The recipient keeps its relation until the deletion is confirmed."""

    to: str
    service: str
    sections: frozenset[str]
    state: str = "draft"
    is_sent: bool = False
    has_left: bool = False
    is_past: bool = False
    """Whether the recipient's part has ended, after which it no longer sees the case."""
    chain: frozenset[str] = frozenset()
    by: str = ""
    saved_time: int | None = None
    """The time that was left when the recipient asked a question or paused the referral."""
    paused_time: int | None = None
    """The time that was left when the case was suspended."""
    seen: tuple[str, str | None, str | None] | None = None
    """The state, lead and holder that the recipient sees once its help is completed."""

    def is_known_to(self, me: str) -> bool:
        """Return whether an office may learn who the recipient is (ADR 20)."""
        return me not in OF_ORIGIN or me == self.by or self.to in OF_ORIGIN

    def is_repeat(self, other: "Referral", me: str) -> bool:
        """Return whether a referral is a repeat of another open referral (ADR 51).

        The other referral has the same recipient and service, is known to `me`, and gives
        at least the same sections.
        """
        same = (self.to, self.service) == (other.to, other.service)
        gives = other.state in ALIVE and self.sections <= other.sections
        return same and gives and other.is_known_to(me)


@dataclass(frozen=True)
class Handover:
    """A handover: an offer of the lead to another office."""

    lead: str
    to: str
    state: str = "offered"


@dataclass(frozen=True)
class Model:
    """One case with all its records. The risk is stored with the age of its assessment."""

    state: str = "draft"
    is_complete: bool = True
    parties: frozenset[tuple[str, str]] = frozenset({("submitter", POST)})
    asked_leads: frozenset[str] = frozenset()
    consents: tuple[Consent, ...] = ()
    referrals: tuple[Referral, ...] = ()
    handovers: tuple[Handover, ...] = ()
    questions: tuple[Question, ...] = ()
    risk: tuple[int, str] | None = None
    fears: str = "nothing"
    sealed: bool = True
    visits: tuple[int, ...] = ()
    clocks: tuple[Clock, ...] = ()
    missed_by: tuple[str, ...] = ()
    missed_deadlines: tuple[MissedDeadline, ...] = field(default=(), compare=False)

    def get_relations(self, me: str) -> frozenset[str]:
        """Return the relations of an office to the case itself."""
        return frozenset(relation for relation, who in self.parties if who == me)

    def get_parts(self, me: str) -> frozenset[str]:
        """Return the relations of an office to the case or to any of its records."""
        mine = [one for one in self.referrals if one.to == me and has_part(one)]
        helps = {"former_recipient" if one.is_past else "recipient" for one in mine}
        roles = {
            role for one in self.handovers for role in self.get_handover_relations(one, me)
        }
        return self.get_relations(me) | helps | roles

    def get_handover_relations(self, one: Handover, me: str) -> frozenset[str]:
        """Return the relations that a handover gives an office, or none after erasure."""
        candidates = (
            {"handover_candidate"} if one == replace(one, to=me, state="offered") else ()
        )
        led = {"former_lead"} if one == replace(one, lead=me, state="effective") else ()
        return frozenset({*candidates, *led}) if self.state != "erased" else frozenset()

    def find_party(self, *relations: str) -> str | None:
        """Try these relations in order, and return the first office found, or None."""
        found = dict(self.parties)
        return next((found[one] for one in relations if one in found), None)

    @property
    def holder(self) -> str | None:
        """The holder of the case: its lead, candidate or desk, in this order, or None."""
        return self.find_party(*HOLDS)

    def can_see_case(self, me: str) -> bool:
        """Return whether an office can see the case; a former party cannot (ADR 20)."""
        return bool(self.get_parts(me) - PAST)

    def can_follow(self, me: str) -> bool:
        """Return whether an office can follow the case, and so sees its lead (ADR 34)."""
        return bool(self.get_parts(me) - PAST - {"submitter"})

    def is_party(self, me: str) -> bool:
        return bool(self.get_relations(me) - PAST - {"submitter"})

    def may_know(self, me: str) -> bool:
        """Return whether an office is allowed to know the safeguards (ADR 14)."""
        mine = self.get_relations(me)
        led = "lead" in mine and self.state in LED
        reviews = "candidate" in mine and self.state == "under_review"
        wrote = "submitter" in mine and self.state in UNLED
        return wrote or ((led or reviews) and me not in self.unsafe)

    def get_permitted_sections(self, to: str, purpose: str) -> frozenset[str] | None:
        """Return the sections that consents permit, or None if no consent applies."""
        terms = [TERMS[one.kind] for one in self.consents if one.is_valid]
        fit = [one.sections for one in terms if to in one.to and purpose in one.purposes]
        return frozenset[str]().union(*fit) if fit else None

    def covers(self, one: Referral, more: AbstractSet[str] = frozenset()) -> bool:
        """Return whether a consent covers a referral, its sections and those in `more`."""
        permitted = self.get_permitted_sections(one.to, one.service)
        return permitted is not None and one.sections | more <= permitted

    @property
    def may_be_referred(self) -> bool:
        """Whether the requirement CONSENT_TO_REFER is met."""
        kinds = [one.kind for one in self.consents if one.is_valid]
        return any("REFER" in TERMS[kind].purposes for kind in kinds)

    @property
    def risk_is_current(self) -> bool:
        """Whether the requirement RISK_CURRENT is met."""
        return self.risk is not None and self.risk[0] <= HOLDS_FOR[self.risk[1]]

    def find_deadline(self, of: Record) -> Clock | None:
        """Return the running deadline of a record, or None if the record has none."""
        return next((clock for clock in self.clocks if clock.record == of), None)

    def get_time_left(self, of: Record) -> int | None:
        """Return the minutes until a record's deadline, or None if no deadline runs."""
        clock = self.find_deadline(of)
        return clock.left if clock else None

    @property
    def unsafe(self) -> frozenset[str]:
        """The offices that must not learn about the person."""
        return FEARS[self.fears]


def has_part(one: Referral) -> bool:
    """Return whether the recipient of a referral still has a relation to the case."""
    return one.is_sent and not one.has_left


def get_sides(
    relations: AbstractSet[str], table: Mapping[str, list[str]]
) -> frozenset[str]:
    """Return the sides that relations give according to a table of LIFECYCLES.md."""
    return frozenset(side for one in relations for side in table[one][0].split())


OF_CASE: Final = of_case.cells(of_case.RELATIONS)
OF_REFERRAL: Final = of_referral.cells(of_referral.RELATIONS)
OF_HANDOVER: Final = of_handover.cells(of_handover.RELATIONS)


def get_case_sides(world: Model, me: str) -> frozenset[str]:
    """Return the sides of an office in actions on the case."""
    return get_sides(world.get_relations(me), OF_CASE)


def get_referral_sides(world: Model, one: Referral, me: str) -> frozenset[str]:
    """Return the sides of an office in a referral; no sides if the referral is hidden."""
    helps = {"recipient"} if one.to == me and has_part(one) else set[str]()
    return get_sides(world.get_relations(me) | helps, OF_REFERRAL)


def get_handover_sides(world: Model, one: Handover, me: str) -> frozenset[str]:
    """Return an office's sides in a handover; without a side, the office cannot see it."""
    of_case = world.get_relations(me) - {"former_lead"}  # a desk replaced this lead
    return get_sides(of_case | world.get_handover_relations(one, me), OF_HANDOVER)


def check_referral_needs(world: Model, one: Referral, me: str) -> Met:
    """Return a function that tells whether a referral in Kazakhstan meets a requirement."""
    rests, safe = world.state == "suspended", one.to not in world.unsafe
    knows = world.may_know(me)
    met = {
        "case_open": one.service in FOR_SAFETY if rests else world.state in CASE_OPEN,
        "consent": world.covers(one) and (safe or knows),
        "child_path": False,
        "vital_interest": False,
        "risk_current": world.risk_is_current,
        "recipient_safe": safe or not knows,
        "agreement": True,
        "origin_permitted": True,
        "reflection_told": True,
        "not_already_asked": not any(one.is_repeat(other, me) for other in world.referrals),
        "return_cleared": True,
        "return_done": True,
    }
    return met.__getitem__


def check_handover_needs(world: Model, one: Handover, me: str) -> Met:
    """Return a function that tells whether a handover meets a requirement."""
    safe, knows = one.to not in world.unsafe, world.may_know(me)
    permitted = one.to != UZ or world.fears == "permitted"
    is_permitted = world.get_permitted_sections(one.to, "HANDOVER") is not None
    met = {
        "case_led": world.state in LED,
        "consent": is_permitted and (knows or (safe and permitted)),
        "child_path": False,
        "recipient_safe": safe or not knows,
        "agreement": True,
        "origin_permitted": permitted or not knows,
    }
    return met.__getitem__


type Outcome = tuple[Verdict, Model]


@dataclass(frozen=True, eq=False)
class Machine:
    """A life cycle according to the independent copies of the tables in LIFECYCLES.md."""

    lines: Mapping[str, Any]
    cells: Mapping[str, list[str]]

    def get_options(self, action: str) -> list[list[str]]:
        """Return the requirements of an action, each as a list of alternatives."""
        return parse_options(self.cells[action][0])

    def get_refusal(
        self, state: str, action: str, sides: AbstractSet[str], roles: AbstractSet[str]
    ) -> Verdict | None:
        """Return the reason to refuse an action, or None if the action is allowed."""
        return get_refusal(self, state, action, frozenset(sides), frozenset(roles))

    def list_unmet(self, action: str, met: Met) -> Verdict:
        """Return the unmet requirements of an action.

        If an unmet requirement has alternatives, only the first alternative is returned.
        """
        return tuple(
            some[0] for some in self.get_options(action) if not any(map(met, some))
        )

    def list_actions(
        self, state: str, sides: AbstractSet[str], roles: AbstractSet[str], met: Met
    ) -> frozenset[tuple[str, bool]]:
        """Return the actions of an office in a state, and whether each is available now."""
        mine = [
            name for name in self.lines if not self.get_refusal(state, name, sides, roles)
        ]
        return frozenset(
            (name, not self.list_unmet(name, with_brought(met))) for name in mine
        )


@cache
def parse_options(cell: str) -> list[list[str]]:
    """Parse the requirements in a cell, each with its alternatives.

    Requirements are separated by spaces, and alternatives by `|`.
    """
    return [need.split("|") for need in cell.split()]


@cache
def get_refusal(
    machine: Machine, state: str, action: str, sides: frozenset[str], roles: frozenset[str]
) -> Verdict | None:
    """Return the refusal of an action, or None if the action is allowed."""
    line = machine.lines[action]
    answers = {(line.answer(state, *who),) for who in product(sides or {""}, roles)}
    if answers - set(REFUSALS):
        return None
    return next(refusal for refusal in REFUSALS if refusal in answers)


def with_brought(met: Met) -> Met:
    """Return a check for which the requirements in `BROUGHT` are always met."""
    return lambda need: need in BROUGHT or met(need)


CASE: Final = Machine(of_case.LINES, of_case.cells(of_case.NEEDS))
REFERRAL: Final = Machine(of_referral.LINES, of_referral.cells(of_referral.ASKED))
HANDOVER: Final = Machine(of_handover.LINES, of_handover.cells(of_handover.ASKED))
