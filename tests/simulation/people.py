"""Officers who submit cases, and administrators who close and reopen offices."""

from collections.abc import Mapping
from typing import Any, Final

from tests.simulation.cast import CORRIDORS, Corridor
from tests.simulation.forbidden_requests import READERS, get_relations, open_any_section
from tests.simulation.partners import Partner
from tests.simulation.weekly_figure_checks import draw_recorded
from tests.simulation.world import CANARY, Deed, Person, Scene
from tests.support.administrators import approve, update_row
from tests.support.world import ALL_SECTIONS, Json, make_case, make_consent

LATER: Final = "2032-01-01T00:00:00Z"
SHORT: Final = ["needs", "contact"]
HELP: Final = ["SHELTER", "LEGAL_AID"]


def draw_recipients(scene: Scene, of: Corridor) -> list[tuple[Json, frozenset[str]]]:
    """Draw the recipient classes of a consent, each with the offices in that class."""
    chance = scene.chance
    state: Json = {"recipient_class": {"kind": "state", "country": of.country}}
    others: Json = {"recipient_class": {"kind": "non_state", "country": of.country}}
    ngo: Json = {"focal_point": of.ngo_lead}
    away: Json = {"focal_point": of.origin_lead}
    everything = chance.choice([SHORT, ALL_SECTIONS])
    drawn = [
        (
            0.85,
            state | {"purposes": ["REFER"], "sections": everything},
            of.get_offices("state"),
        ),
        (0.6, ngo | {"purposes": ["REFER"], "sections": SHORT}, frozenset({of.ngo_lead})),
        (
            0.8,
            others | {"purposes": ["SHELTER", "LEGAL_AID"], "sections": everything},
            of.get_offices("others"),
        ),
        (
            0.5,
            ngo | {"purposes": ["HANDOVER"], "sections": SHORT},
            frozenset({of.ngo_lead}),
        ),
        (
            0.3,
            away | {"purposes": ["HANDOVER"], "sections": ["needs"]},
            frozenset({of.origin_lead}),
        ),
    ]
    some = [(body, to) for share, body, to in drawn if scene.is_likely(share)]
    if not any("REFER" in body["purposes"] for body, _ in some):
        some.append((drawn[0][1], drawn[0][2]))
    return some


def make_sections(seed: int, number: int) -> list[Json]:
    """Return sections with words that do not occur in any other case."""
    word = f"{CANARY}{number}"
    gender, forms = draw_recorded(seed, number)
    needs = {"summary": f"{word}needs", "safety_alert": f"{word}danger", "gender": gender}
    return [
        {"section": "needs", **needs},
        {"section": "indicators", "exploitation": forms},
        {"section": "contact", "alias": f"{word}alias", "safe_channel": f"{word}way"},
        {"section": "identity", "names": [f"{word}name"]},
        {"section": "narrative", "text": f"{word}told"},
        {"section": "health", "text": f"{word}health"},
    ]


class Officer:
    """An officer who meets people and submits their cases."""

    def __init__(self, scene: Scene, partners: Mapping[str, Partner]) -> None:
        self.scene, self.partners, self.count = scene, partners, 0

    def schedule(self) -> None:
        """Schedule the arrival of one to three people."""
        many = self.scene.chance.choices([1, 2, 3], [6, 3, 1])[0]
        for _ in range(many):
            self.scene.schedule(
                self.scene.draw_hours(0, 200), "a person comes", self.add_person
            )

    def add_person(self) -> None:
        """Create a case, and submit the case at once, later or never."""
        scene, chance = self.scene, self.scene.chance
        of = chance.choices(CORRIDORS, [3, 1])[0]
        self.count += 1
        some, number = draw_recipients(scene, of), self.count
        is_child = scene.is_likely(0.12)
        unsafe = frozenset(chance.sample(of.offices[1:-1], scene.is_likely(0.2)))
        waits = scene.is_likely(0.1)
        body = make_case_body(scene, of, number, some, is_child=is_child, unsafe=unsafe)
        terms = [(to, frozenset(b["purposes"]), frozenset(b["sections"])) for b, to in some]
        person = Person("", number, is_child, of, unsafe, terms)
        partner = self.partners[of.officer]
        event = "case.drafted" if waits else "case.submitted"
        body["submit"] = not waits
        deed = Deed(partner.worker, "/cases", body, str(scene.ids()), event=event)
        self.create_case(partner, deed, person)
        if waits and scene.is_likely(0.6):
            scene.schedule(
                scene.draw_hours(1, 400),
                "a draft is submitted",
                lambda: self.submit_case(partner, person),
            )
        if scene.is_likely(0.4):
            scene.schedule(
                scene.draw_hours(5, 300),
                "consents are withdrawn",
                lambda: self.withdraw_consents(person),
            )

    def create_case(self, partner: Partner, deed: Deed, person: Person) -> None:
        """Create a case, and repeat the request later until there is a response."""
        answer = partner.send(deed)
        if answer is None:
            delay = self.scene.draw_hours(0.01, 2)
            self.scene.schedule(
                delay, "a retry", lambda: self.create_case(partner, deed, person)
            )
            return
        self.scene.require(answer.status_code == 201, f"a case was refused: {answer.text}")
        person.code = answer.json()["code"]
        self.scene.persons[person.code] = person
        if answer.json()["state"] == "submitted":
            person.submitted_at = self.scene.now

    def submit_case(self, partner: Partner, person: Person) -> None:
        if not person.code:
            return
        path = f"/cases/{person.code}"
        answer = self.scene.send(partner.worker, "GET", path)
        if answer is None or answer.is_error or answer.json()["state"] != "draft":
            return
        tag, about = answer.headers["ETag"], path[1:]
        key = str(self.scene.ids())
        partner.send(
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

    def withdraw_consents(self, person: Person) -> None:
        """Withdraw a person's consents to some purposes, and then check all access."""
        scene = self.scene
        if not person.code:
            return
        purposes = scene.chance.choice([["REFER"], HELP, HELP, ["HANDOVER"]])
        path, body = f"/cases/{person.code}/consents/withdraw", {"purposes": purposes}
        by = scene.chance.choice([person.corridor.officer, person.corridor.state_lead])
        answer = scene.send(self.partners[by].worker, "POST", path, body=body)
        if answer is not None and answer.is_success:
            scene.tally.counts["consents taken back"] += 1
            person.withdraw(frozenset(purposes))
            self.check_access(person)

    def check_access(self, person: Person) -> None:
        """Make each office that may read the case open a section, and check the results."""
        for office in person.corridor.offices:
            if get_relations(self.scene, person.code, office) & READERS:
                open_any_section(self.scene, self.partners[office].worker, person)


def make_case_body(  # noqa: PLR0913 - each is one property of the person
    scene: Scene,
    of: Corridor,
    number: int,
    some: list[tuple[Json, frozenset[str]]],
    *,
    is_child: bool,
    unsafe: frozenset[str],
) -> Json:
    """Return the request body with which an officer creates a case."""
    by = {"given_by": "guardian_with_assent"} if is_child else {}
    summary = {
        "country": of.country,
        "language": of.language,
        "priority": scene.chance.choice(["emergency", "urgent", "normal"]),
        "age_class": "child" if is_child else "adult",
    }
    return make_case(
        summary=summary,
        sections=make_sections(scene.seed, number),
        safeguards={"country_of_origin": of.origin, "unsafe_focal_points": sorted(unsafe)},
        consents=[
            make_consent(recipients=[one for one, _ in some], expires_at=LATER, **by)
        ],
        risk={"level": scene.chance.choice(["low", "medium", "high"])},
    )


class Administrators:
    """Two administrators who close and reopen offices, and updates of free capacities."""

    def __init__(self, scene: Scene, partners: Mapping[str, Partner], poke: Any) -> None:
        self.scene, self.partners, self.poke = scene, partners, poke
        self.one, self.other = map(scene.get_person, scene.stage.administrators)
        self.off: list[str] = []

    def schedule(self) -> None:
        scene = self.scene
        if scene.is_likely(0.3):
            scene.schedule(
                scene.draw_hours(20, 500), "an office is closed", self.close_office
            )
        for _ in range(scene.chance.randint(0, 2)):
            scene.schedule(
                scene.draw_hours(0, 500), "the capacity is updated", self.update_capacity
            )

    def close_office(self) -> None:
        of = self.scene.chance.choice(CORRIDORS)
        office = self.scene.chance.choice(of.offices[1:-1])
        self.set_active(office, active=False)
        self.off.append(office)
        self.scene.schedule(
            self.scene.draw_hours(50, 400), "it is opened again", self.reopen_offices
        )

    def reopen_offices(self) -> None:
        for office in self.off:
            self.set_active(office, active=True)
        self.off.clear()

    def set_active(self, office: str, *, active: bool) -> None:
        """Close or open an office, with the approval of a second administrator."""
        self.scene.log(f"{office} is {'active' if active else 'not active'} now")
        path = f"/focal-points/{office}"
        answer = update_row(self.one, path, active=active)
        if answer.status_code == 202:
            approval = approve(answer, self.other)
            answer = update_row(self.one, path, approval, active=active)
        self.scene.require(answer.is_success, f"{office}: {answer.text}")
        self.poke()

    def update_capacity(self) -> None:
        helpers = [one for of in CORRIDORS for one in of.helpers]
        office = self.scene.chance.choice(helpers)
        free = self.scene.chance.choice([0, 1, 5, None])
        path, body = f"/focal-points/{office}/capacity", {"free": free}
        self.scene.send(self.partners[office].worker, "PUT", path, body=body)
