"""The evidence of an invented case does not show who else notified the same office.

A message can wait because of a message about another case, join it, or fail together with
it. Therefore the sender sees neither when a message was sent nor whether it was repeated.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI

from tests.support.databases import Copy
from tests.support.in_thread import ThreadLoops
from tests.support.mail_servers import Mood, Post, load_contacts, open_post
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_consent,
    make_service_consent,
    unwrap,
)

pytestmark = pytest.mark.slow
SHELTER, OTHER = "KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN"
NGOS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
SHUT = f"{SHELTER}_MAIL,{SHELTER},email,intake@kogershin.example.org,kk,intake,false"
type Plan = dict[int, Callable[[Post], object]]
NOTIFIED = range(178, 268)
"""The minutes in which referrals of the first quarter of an hour become late."""


def create_id() -> UUID:
    """Return a random id that ends in zeros, so that each pause has its minimum length."""
    return UUID(int=uuid4().int >> 32 << 32)


@contextmanager
def open_world(copy: Copy, app: FastAPI, loop: ThreadLoops) -> Iterator[Post]:
    with copy() as url:
        world = World(url, app, loop, create_id)
        with open_post(world) as post:
            yield post
        world.close()


def refer_real_person(post: Post, to: str, priority: str = "urgent") -> None:
    """Refer a person who fears the focal point of the country to a shelter."""
    iom, sana = (post.world.add_person(code) for code in ("IOM", "SANA_SEZIM"))
    case = iom.submit(
        summary={"priority": priority},
        safeguards={"country_of_origin": "UZ", "unsafe_focal_points": ["KZ_LEAD"]},
        consents=[make_consent(), NGOS, make_service_consent()],
    )
    unwrap(sana.refer(sana.take_lead(case), to))


def refer_invented_person(post: Post) -> Json:
    """Refer a person whom a consulate and the focal point of the country invented."""
    consulate, lead = map(post.world.add_person, ("UZ_CONSULATE_ALMATY", "KZ_LEAD"))
    return unwrap(lead.refer(lead.take_lead(consulate.submit()), SHELTER))


def refuse_mail(post: Post) -> None:
    post.mail.mood = lambda: Mood.UNKNOWN_ADDRESS


def list_notifications(who: Someone, referral: Json) -> list[Json]:
    [one] = unwrap(who.get(f"{get_path(referral)}/evidence"))["items"]
    return list(one["notifications"])


def play_attack(
    post: Post, invented: int, plan: Plan
) -> tuple[list[list[Json]], list[Json]]:
    """Play a plan by the minute, and an invented referral that is sent in one minute.

    Return the notifications in its evidence, as the attacker sees them each minute and as
    the shelter sees them at the end. The shelter answers no referral.
    """
    lead, shelter = map(post.world.add_person, ("KZ_LEAD", SHELTER))
    start, seen = post.world.now, []
    for minute in sorted({invented, *plan, *NOTIFIED}):
        post.world.advance(minutes=minute - (post.world.now - start).seconds // 60)
        post.world.run_worker()
        if minute == invented:
            referral = refer_invented_person(post)
        if minute in plan:
            plan[minute](post)
        if minute in NOTIFIED:
            post.send_due()
            seen.append(list_notifications(lead, referral))
    return seen, list_notifications(shelter, referral)


@pytest.mark.parametrize(
    "way", ["a window", "an emergency that joins", "a lost message", "a closed contact"]
)
def test_evidence_of_an_invented_case_hides_other_notifications_of_the_office(
    copy: Copy, app: FastAPI, loop: ThreadLoops, tmp_path: Path, way: str
) -> None:
    def play(to: str) -> tuple[list[list[Json]], list[Json]]:
        refer = partial(refer_real_person, to=to)
        plans: dict[str, tuple[int, Plan]] = {
            "a window": (10, {0: refer}),
            "an emergency that joins": (
                10,
                {0: refer_invented_person, 135: partial(refer, priority="emergency")},
            ),
            "a lost message": (2, {0: refer, 100: refuse_mail}),
            "a closed contact": (
                10,
                {0: refer, 195: lambda one: load_contacts(one.world, tmp_path, SHUT)},
            ),
        }
        with open_world(copy, app, loop) as post:
            return play_attack(post, *plans[way])

    (attacker, shelter), (other_attacker, other_shelter) = play(SHELTER), play(OTHER)

    assert shelter != other_shelter
    assert attacker == other_attacker
    assert [one["by"] for one in attacker[-1]] == ["email", "sms"]
