"""Invented offices for tests of routing, and a parser for questions written in one line."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.deadlines.limits import Priority
from app.directory.kinds import AgeGroup, OfficeFunction, OfficeKind, Service, Sex
from app.routing.question import Profile, Question
from app.routing.ranking import Ranking, ReasonOut

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
AVOIDED = frozenset({"AF", "NI"})

# code, kind, State, countries, languages, services, sexes, ages, whether it can lead
CAST = """
    KZ_LEAD | state             | KZ | KZ    | kk ru |                | -           | -           | leads
    UZ_LEAD | state             | UZ | UZ    | uz    | RETURN         | -           | -           | leads
    UZ_POST | state             | UZ | KZ    | uz    | CONSULAR_DOCUMENT | -        | -           | leads
    NI_LEAD | state             | NI | NI    | es    | CHILD_PROTECTION  | -        | -           | leads
    LAWYER  | non_state         | -  | KZ    | ru    | LEGAL_AID      | -           | -           | leads
    NETWORK | non_state         | -  | KZ UZ | -     |                | -           | -           | leads
    WOMEN   | non_state         | -  | KZ    | kk uz | SHELTER        | female      | adult child | -
    HOSTEL  | non_state         | -  | KZ    | kk ru | SHELTER        | female male | adult       | -
    GUARD   | non_state         | -  | KZ    | kk    | CHILD_PROTECTION | -         | child       | -
    UZ_HOME | non_state         | -  | UZ    | uz    | SHELTER RETURN | -           | -           | -
    UZ_KIDS | non_state         | -  | UZ    | uz    | CHILD_PROTECTION | -         | child       | -
    TT_NGO  | non_state         | -  | TT    | en    | SHELTER        | -           | -           | leads
    IOM     | intergovernmental | -  | *     | -     | SHELTER RETURN | -           | -           | leads
    UNHCR   | intergovernmental | -  | *     | -     | ASYLUM         | -           | -           | leads
    CONVENE | intergovernmental | -  | KZ    | -     |                | -           | -           | -
    WATCH   | oversight         | -  | *     | en    |                | -           | -           | -
    DESK_A  | desk              | -  | KZ UZ | ru    |                | -           | -           | -
    DESK_B  | desk              | -  | TT NI | en    |                | -           | -           | -
"""  # noqa: E501 - a table


def split_words(cell: str) -> list[str]:
    return [] if cell.strip() == "-" else cell.split()


def office(number: int, line: str) -> Profile:
    code, kind, state, where, languages, services, sexes, ages, leads = (
        cell.strip() for cell in line.split("|")
    )
    technical = code == "CONVENE"
    return Profile(
        id=UUID(int=number),
        code=code,
        kind=OfficeKind(kind),
        function=OfficeFunction.TECHNICAL if technical else OfficeFunction.SOCIAL,
        of_state=None if state == "-" else state,
        serves=split_words(where),
        languages=tuple(split_words(languages)),
        services=frozenset(map(Service, services.split())),
        can_lead=leads == "leads",
        sexes=frozenset(map(Sex, split_words(sexes))),
        ages=frozenset(map(AgeGroup, split_words(ages))),
    )


EVERYONE = tuple(
    office(number, line) for number, line in enumerate(CAST.strip().splitlines(), start=1)
)
BY_CODE = {profile.code: profile for profile in EVERYONE}
PLAIN = Question(
    now=NOON,
    country="KZ",
    language="uz",
    services=frozenset({Service.SHELTER, Service.LEGAL_AID}),
    priority=Priority.URGENT,
    ages=frozenset({AgeGroup.ADULT}),
    sex=None,
    avoided=AVOIDED,
    agreed=frozenset(),
    origin="UZ",
    origin_blocked=False,
    origin_permitted=False,
    named=frozenset(),
    unsafe=frozenset(),
    consented=frozenset(profile.id for profile in EVERYONE),
    declined=frozenset(),
    approached=frozenset(),
    holder=None,
    home=None,
    profiles=EVERYONE,
)


def ids(codes: Iterable[str]) -> frozenset[UUID]:
    return frozenset(BY_CODE[code].id for code in codes)


def asked(spelled: str) -> Question:
    """Build a question from text such as `in UZ; needs SHELTER; unsafe IOM`."""
    question = PLAIN
    for phrase in filter(None, (part.strip() for part in spelled.split(";"))):
        verb, *rest = phrase.split()
        question = replace(question, **parse_phrase(verb, rest))
    return question


def parse_phrase(  # noqa: PLR0911 - one for each phrase
    verb: str, rest: list[str]
) -> dict[str, Any]:
    """Return the attributes that one phrase of a text sets in a question."""
    known: dict[str, dict[str, Any]] = {
        "plain": {},
        "emergency": {"priority": Priority.EMERGENCY},
        "blocked": {"origin_blocked": True},
        "permitted": {"origin_permitted": True},
        "agreed": {"agreed": frozenset(rest)},
        "unsafe": {"unsafe": frozenset(rest)},
    }
    match verb, rest:
        case "in" | "home" | "speaks", [word]:
            field = {"in": "country", "home": "home", "speaks": "language"}[verb]
            return {field: word}
        case "origin", [word]:
            return {"origin": None if word == "unknown" else word}
        case "sex", [word]:
            return {"sex": Sex(word)}
        case "needs", services:
            return {"services": frozenset(map(Service, services))}
        case "aged", ages:
            return {"ages": frozenset(map(AgeGroup, ages))}
        case "only", codes:
            return {"consented": ids(codes)}
        case "declined" | "approached", codes:
            return {verb: ids(codes)}
        case "holder", [code]:
            return {"holder": BY_CODE[code].id}
        case _:
            return known[verb]


def changed(question: Question, code: str, **changes: Any) -> Question:
    """Return the question with some attributes of one office changed."""
    profiles = (replace(p, **changes) if p.code == code else p for p in question.profiles)
    return replace(question, profiles=tuple(profiles))


def in_turn(ranking: Ranking) -> str:
    """Return the candidates' codes in order, then `|`, then the desk's code or `-`."""
    found = [candidate.code for candidate in ranking.candidates]
    return " ".join([*found, "|", ranking.desk.code if ranking.desk else "-"])


def out(ranking: Ranking) -> dict[str, tuple[ReasonOut, ...]]:
    return {left.code: left.reasons for left in ranking.excluded}


def table(text: str) -> list[tuple[str, str]]:
    """Return the pairs of question and answer in a table."""
    lines = (line.split("=>") for line in text.strip().splitlines())
    return [(question.strip(), answer.strip()) for question, answer in lines]
