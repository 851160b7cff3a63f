"""Who should lead: the rules of LIFECYCLES.md, section 8, that are built."""

from dataclasses import replace
from itertools import permutations
from random import Random
from uuid import UUID

import pytest

from app.directory.kinds import Function, Kind, StateRouting
from app.routing.ranking import (
    Profile,
    Question,
    Ranking,
    ReasonIn,
    ReasonOut,
    rank,
)


def profile(number: int, code: str, kind: Kind, **changes: object) -> Profile:
    """A focal point at work in KZ that may lead and is named by a consent."""
    plain = Profile(
        id=UUID(int=number),
        code=code,
        kind=kind,
        function=Function.COORDINATION,
        of_state=None,
        serves=["KZ"],
        languages=("kk",),
        services=frozenset(),
        can_lead=True,
        consented=True,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # only ever well-typed here


KZ_LEAD = profile(1, "KZ_LEAD", Kind.STATE, of_state="KZ")
UZ_LEAD = profile(2, "UZ_LEAD", Kind.STATE, of_state="UZ", serves=["UZ"])
UZ_CONSULATE = profile(3, "UZ_CONSULATE", Kind.STATE, of_state="UZ")
NGO = profile(4, "NGO", Kind.NON_STATE)
IOM = profile(5, "IOM", Kind.INTERGOVERNMENTAL, serves=["*"])
SHELTER = profile(6, "SHELTER", Kind.NON_STATE, can_lead=False)
TT_NGO = profile(7, "TT_NGO", Kind.NON_STATE, serves=["TT"])
EVERYONE = (KZ_LEAD, UZ_LEAD, UZ_CONSULATE, NGO, IOM, SHELTER, TT_NGO)
IN_KZ = Question(
    country="KZ",
    state_routing=StateRouting.AUTO,
    language="uz",
    services=frozenset({"SHELTER", "LEGAL_AID"}),
    origin="UZ",
    origin_blocked=False,
    unsafe=frozenset(),
    declined=frozenset(),
    profiles=EVERYONE,
)


def codes(ranking: Ranking) -> list[str]:
    return [candidate.code for candidate in ranking.candidates]


def reasons(ranking: Ranking) -> dict[str, tuple[ReasonOut, ...]]:
    return {out.code: out.reasons for out in ranking.left_out}


def test_the_body_of_the_country_comes_first_then_who_works_there() -> None:
    ranking = rank(IN_KZ)

    assert codes(ranking) == ["KZ_LEAD", "NGO", "IOM"]
    assert reasons(ranking) == {
        "SHELTER": (ReasonOut.NOT_CONSIDERED,),
        "UZ_CONSULATE": (ReasonOut.NOT_OF_THE_COUNTRY,),
    }


def test_rule_1_who_is_unsafe_is_never_asked() -> None:
    ranking = rank(replace(IN_KZ, unsafe=frozenset({"KZ_LEAD", "NGO"})))

    assert codes(ranking) == ["IOM"]


def test_rule_2_the_lead_is_of_the_country_where_the_person_is() -> None:
    ranking = rank(replace(IN_KZ, country="TT"))

    assert codes(ranking) == ["TT_NGO", "IOM"]


def test_rule_2_the_state_of_origin_never_leads_elsewhere_through_its_consulate() -> None:
    assert "UZ_CONSULATE" not in codes(rank(IN_KZ))
    assert codes(rank(replace(IN_KZ, country="UZ")))[:2] == ["UZ_CONSULATE", "UZ_LEAD"]


def test_rule_4_the_state_of_origin_is_blocked_once_the_person_fears_it() -> None:
    at_home = replace(IN_KZ, country="UZ")

    assert "UZ_LEAD" in codes(rank(at_home))
    assert codes(rank(replace(at_home, origin_blocked=True))) == ["IOM"]


def test_rule_4_an_origin_that_is_not_known_may_be_any_state_even_this_one() -> None:
    unknown = replace(IN_KZ, origin=None)

    blocked = rank(replace(unknown, origin_blocked=True))

    assert codes(rank(unknown)) == ["KZ_LEAD", "NGO", "IOM"]
    assert codes(blocked) == ["NGO", "IOM"]
    assert reasons(blocked)["KZ_LEAD"] == (ReasonOut.NO_CONSENT,)


def test_rule_4_blocks_the_state_where_the_person_is_if_it_is_the_origin() -> None:
    feared = replace(IN_KZ, origin="KZ", origin_blocked=True)

    assert codes(rank(feared)) == ["NGO", "IOM"]


def test_rule_6_where_the_state_route_is_avoided_others_are_asked() -> None:
    ranking = rank(replace(IN_KZ, state_routing=StateRouting.AVOID))

    assert codes(ranking) == ["NGO", "IOM"]
    assert reasons(ranking)["KZ_LEAD"] == (ReasonOut.STATE_ROUTE_AVOIDED,)


def test_rule_6_outside_of_the_directory_there_is_who_works_everywhere() -> None:
    assert codes(rank(replace(IN_KZ, country="FR"))) == ["IOM"]


def test_rule_8_who_declined_is_not_asked_again() -> None:
    ranking = rank(replace(IN_KZ, declined=frozenset({KZ_LEAD.id})))

    assert codes(ranking) == ["NGO", "IOM"]
    assert reasons(ranking)["KZ_LEAD"] == (ReasonOut.HAS_DECLINED,)


def test_rule_8_the_list_is_used_up_when_everybody_declined() -> None:
    everyone = frozenset(one.id for one in EVERYONE)

    assert rank(replace(IN_KZ, declined=everyone)).candidates == ()


def test_nobody_is_asked_whom_no_consent_names() -> None:
    strict = replace(IN_KZ, profiles=(replace(KZ_LEAD, consented=False), NGO))

    ranking = rank(strict)

    assert codes(ranking) == ["NGO"]
    assert reasons(ranking)["KZ_LEAD"] == (ReasonOut.NO_CONSENT,)


@pytest.mark.parametrize(
    "guarded",
    [
        replace(IN_KZ, unsafe=frozenset({"KZ_LEAD"})),
        replace(IN_KZ, origin="KZ", origin_blocked=True),
    ],
    ids=["unsafe", "feared"],
)
def test_what_safeguards_say_is_spelled_like_what_others_know_anyway(
    guarded: Question,
) -> None:
    others = EVERYONE[1:]
    unguarded = [
        replace(IN_KZ, profiles=(replace(KZ_LEAD, can_lead=False), *others)),
        replace(IN_KZ, profiles=(replace(KZ_LEAD, consented=False), *others)),
    ]

    assert rank(guarded) in [rank(question) for question in unguarded]


def test_all_that_speaks_against_someone_is_told_together() -> None:
    hopeless = replace(KZ_LEAD, can_lead=False, consented=False)
    question = replace(
        IN_KZ,
        state_routing=StateRouting.AVOID,
        declined=frozenset({KZ_LEAD.id}),
        profiles=(hopeless,),
    )

    assert reasons(rank(question))["KZ_LEAD"] == (
        ReasonOut.NOT_CONSIDERED,
        ReasonOut.STATE_ROUTE_AVOIDED,
        ReasonOut.NO_CONSENT,
        ReasonOut.HAS_DECLINED,
    )


def test_who_has_nothing_to_do_with_the_country_is_not_spoken_of() -> None:
    assert not {"UZ_LEAD", "TT_NGO"} & set(reasons(rank(IN_KZ)))


def test_all_that_speaks_for_someone_is_told() -> None:
    fit = replace(NGO, languages=("ru", "uz-Cyrl"), services=frozenset({"LEGAL_AID"}))

    [candidate] = rank(replace(IN_KZ, profiles=(fit,))).candidates

    assert candidate.reasons == (
        ReasonIn.WORKS_IN_THE_COUNTRY,
        ReasonIn.OFFERS_SERVICES_NEEDED,
        ReasonIn.SPEAKS_THE_LANGUAGE,
    )
    assert rank(IN_KZ).candidates[0].reasons == (ReasonIn.BODY_OF_THE_COUNTRY,)


def test_within_a_tier_services_count_first_then_the_language_then_the_code() -> None:
    both = profile(11, "Z", Kind.NON_STATE, services=IN_KZ.services)
    one = profile(12, "Y", Kind.NON_STATE, services=frozenset({"SHELTER"}))
    speaks = profile(13, "X", Kind.NON_STATE, languages=("uz",))
    tied = [profile(20 - n, code, Kind.NON_STATE) for n, code in enumerate("CBA")]

    ranking = rank(replace(IN_KZ, profiles=(*tied, speaks, one, both)))

    assert codes(ranking) == ["Z", "Y", "X", "A", "B", "C"]


def test_the_same_question_gives_the_same_list_in_whatever_order_it_is_put() -> None:
    expected = rank(IN_KZ)

    shuffled = list(permutations(EVERYONE))
    Random(7).shuffle(shuffled)

    assert all(rank(replace(IN_KZ, profiles=p)) == expected for p in shuffled[:500])
