"""Persons with their officers, and administrators who close and open offices."""

from collections.abc import Mapping
from typing import Any, Final

from tests.simulation.cast import CORRIDORS, Corridor
from tests.simulation.lying import TOLD, pries, relations
from tests.simulation.partners import Partner
from tests.simulation.world import CANARY, Deed, Person, Scene
from tests.support.administrators import agreed, changes
from tests.support.world import ALL_SECTIONS, Json, consent, new_case

LATER: Final = "2032-01-01T00:00:00Z"
SHORT: Final = ["needs", "contact"]
HELP: Final = ["SHELTER", "LEGAL_AID"]


def given(to: Mapping[str, Any], purposes: list[str], sections: list[str]) -> Json:
    more = {"purposes": purposes, "sections": sections, "expires_at": LATER}
    return consent(**to, **more)


def consents_of(scene: Scene, of: Corridor) -> list[tuple[Json, frozenset[str]]]:
    """Draw the consents of a person, each with the offices that it names."""
    chance = scene.chance
    state = {"recipient_class": {"kind": "state", "country": of.country}}
    others = {"recipient_class": {"kind": "non_state", "country": of.country}}
    ngo, away = {"focal_point": of.ngo_lead}, {"focal_point": of.origin_lead}
    everything = chance.choice([SHORT, ALL_SECTIONS])
    drawn = [
        (0.85, given(state, ["REFER"], everything), of.of_class("state")),
        (0.6, given(ngo, ["REFER"], SHORT), frozenset({of.ngo_lead})),
        (0.8, given(others, ["SHELTER", "LEGAL_AID"], everything), of.of_class("others")),
        (0.5, given(ngo, ["HANDOVER"], SHORT), frozenset({of.ngo_lead})),
        (0.3, given(away, ["HANDOVER"], ["needs"]), frozenset({of.origin_lead})),
    ]
    some = [(body, to) for share, body, to in drawn if scene.likely(share)]
    if not any("REFER" in body["purposes"] for body, _ in some):
        some.append((drawn[0][1], drawn[0][2]))
    return some


def sections(number: int) -> list[Json]:
    """Return sections with words that occur in one case only."""
    word = f"{CANARY}{number}"
    return [
        {"section": "needs", "summary": f"{word}needs", "safety_notice": f"{word}danger"},
        {"section": "contact", "alias": f"{word}alias", "safe_channel": f"{word}way"},
        {"section": "identity", "names": [f"{word}name"]},
        {"section": "narrative", "text": f"{word}told"},
        {"section": "health", "text": f"{word}health"},
    ]


class Officer:
    """Meets persons, and submits their cases."""

    def __init__(self, scene: Scene, partners: Mapping[str, Partner]) -> None:
        self.scene, self.partners, self.count = scene, partners, 0

    def plans(self) -> None:
        """Schedule the arrival of some persons."""
        many = self.scene.chance.choices([1, 2, 3], [6, 3, 1])[0]
        for _ in range(many):
            self.scene.later(self.scene.hours(0, 200), "a person comes", self.meets)

    def meets(self) -> None:
        """Write a case, and submit it at once, later or never."""
        scene, chance = self.scene, self.scene.chance
        of = chance.choices(CORRIDORS, [3, 1])[0]
        self.count += 1
        some, number = consents_of(scene, of), self.count
        is_child = scene.likely(0.12)
        unsafe = frozenset(chance.sample(of.offices[1:-1], scene.likely(0.2)))
        waits = scene.likely(0.1)
        body = case_body(scene, of, number, some, is_child=is_child, unsafe=unsafe)
        terms = [(to, frozenset(b["purposes"]), frozenset(b["sections"])) for b, to in some]
        person = Person("", number, is_child, of, unsafe, terms)
        partner = self.partners[of.officer]
        event = "case.drafted" if waits else "case.submitted"
        body["submit"] = not waits
        deed = Deed(partner.worker, "/cases", body, str(scene.ids()), event=event)
        self.writes(partner, deed, person)
        if waits and scene.likely(0.6):
            scene.later(
                scene.hours(1, 400),
                "a draft is submitted",
                lambda: self.submits(partner, person),
            )
        if scene.likely(0.4):
            scene.later(
                scene.hours(5, 300), "consents are withdrawn", lambda: self.no(person)
            )

    def writes(self, partner: Partner, deed: Deed, person: Person) -> None:
        """Write a case, and repeat the request until an answer comes."""
        answer = partner.sends(deed)
        if answer is None:
            delay = self.scene.hours(0.01, 2)
            self.scene.later(delay, "a retry", lambda: self.writes(partner, deed, person))
            return
        self.scene.must(answer.status_code == 201, f"a case was refused: {answer.text}")
        person.code = answer.json()["code"]
        self.scene.persons[person.code] = person
        if answer.json()["state"] == "submitted":
            person.submitted_at = self.scene.now

    def submits(self, partner: Partner, person: Person) -> None:
        if not person.code:
            return
        path = f"/cases/{person.code}"
        answer = self.scene.asks(partner.worker, "GET", path)
        if answer is None or answer.is_error or answer.json()["state"] != "draft":
            return
        tag, about = answer.headers["ETag"], path[1:]
        key = str(self.scene.ids())
        partner.sends(
            Deed(
                partner.worker,
                f"{path}/submit",
                None,
                key,
                tag,
                None,
                "case.submitted",
                about,
            )
        )

    def no(self, person: Person) -> None:
        """Withdraw a person's consents, through an office that sees the case."""
        scene = self.scene
        if not person.code:
            return
        purposes = scene.chance.choice([["REFER"], HELP, HELP, ["HANDOVER"]])
        path, body = f"/cases/{person.code}/consents/withdraw", {"purposes": purposes}
        by = scene.chance.choice([person.corridor.officer, person.corridor.state_lead])
        answer = scene.asks(self.partners[by].worker, "POST", path, body=body)
        if answer is not None and answer.is_success:
            scene.tally.counts["consents taken back"] += 1
            person.takes_back(frozenset(purposes))
            self.tries_to_read_on(person)

    def tries_to_read_on(self, person: Person) -> None:
        """Let every office with a part try to read at once."""
        for office in person.corridor.offices:
            if relations(self.scene, person.code, office) & TOLD:
                pries(self.scene, self.partners[office].worker, person)


def case_body(  # noqa: PLR0913 - each says one thing of the person
    scene: Scene,
    of: Corridor,
    number: int,
    some: list[tuple[Json, frozenset[str]]],
    *,
    is_child: bool,
    unsafe: frozenset[str],
) -> Json:
    """Return the body of a case as its officer sends it."""
    by = {"given_by": "guardian_with_assent"} if is_child else {}
    notice = {
        "country": of.country,
        "language": of.language,
        "priority": scene.chance.choice(["emergency", "urgent", "normal"]),
        "age_class": "child" if is_child else "adult",
    }
    return new_case(
        notice=notice,
        sections=sections(number),
        safeguards={"country_of_origin": of.origin, "unsafe_focal_points": sorted(unsafe)},
        consents=[body | by for body, _ in some],
        risk={"level": scene.chance.choice(["low", "medium", "high"])},
    )


class Administrators:
    """Two people who close offices and open them again."""

    def __init__(self, scene: Scene, partners: Mapping[str, Partner], poke: Any) -> None:
        self.scene, self.partners, self.poke = scene, partners, poke
        self.one, self.other = map(scene.someone_of, scene.stage.administrators)
        self.off: list[str] = []

    def plans(self) -> None:
        scene = self.scene
        if scene.likely(0.3):
            scene.later(scene.hours(20, 500), "an office is closed", self.switches_off)
        for _ in range(scene.chance.randint(0, 2)):
            scene.later(scene.hours(0, 500), "the capacity is updated", self.counts)

    def switches_off(self) -> None:
        of = self.scene.chance.choice(CORRIDORS)
        office = self.scene.chance.choice(of.offices[1:-1])
        self.sets(office, active=False)
        self.off.append(office)
        self.scene.later(self.scene.hours(50, 400), "it is opened again", self.switches_on)

    def switches_on(self) -> None:
        for office in self.off:
            self.sets(office, active=True)
        self.off.clear()

    def sets(self, office: str, *, active: bool) -> None:
        """Close or open an office, as two people."""
        self.scene.say(f"{office} is {'active' if active else 'not active'} now")
        path = f"/focal-points/{office}"
        answer = changes(self.one, path, active=active)
        if answer.status_code == 202:
            approval = agreed(answer, self.other)
            answer = changes(self.one, path, approval, active=active)
        self.scene.must(answer.is_success, f"{office}: {answer.text}")
        self.poke()

    def counts(self) -> None:
        helpers = [one for of in CORRIDORS for one in of.helpers]
        office = self.scene.chance.choice(helpers)
        free = self.scene.chance.choice([0, 1, 5, None])
        path, body = f"/focal-points/{office}/capacity", {"free": free}
        self.scene.asks(self.partners[office].worker, "PUT", path, body=body)
