"""The service does what the model says, whoever acts, in whatever order.

Hypothesis makes up stories of one case. Each act, also such as must be refused, is asked
of the service over HTTP and of tests/model.py; both must answer the same, and then show
everybody the same: what is there, where it stands, and what can be done now.
"""

from asyncio import Runner
from collections.abc import Iterator
from typing import Any, Final, override

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from app.kernel.actors import Role
from tests.acts import GROUPS, acts_on_case, body_of, given, guards
from tests.mechanism import (
    ACTORS,
    CONSENTS,
    KZ,
    NGO,
    OVERSIGHT,
    POST,
    UZ,
    Consent,
    Model,
    Verdict,
    view_case,
    view_handover,
    view_referral,
)
from tests.model import GONE, OK, Act, predict
from tests.serving import SOAK, times
from tests.world import NOON, Json, Someone, World, done, lacks, new_case, problem

NAMES: Final = sorted(ACTORS)
SECONDS: Final = {
    **dict.fromkeys((KZ, NGO, UZ), Role.SUPERVISOR),
    OVERSIGHT: Role.PROTECTION_OFFICER,
}
RARELY: Final = st.integers(0, 19).map(lambda number: number == 1)
ENDINGS: Final = frozenset(
    {
        *("case.discard", "case.withdraw", "case.stop", "case.erase", "case.close"),
        *("referral.revoke", "referral.withdraw", "referral.decline"),
    }
)
EARLY: Final = 15
EACH: Final = 4
"""After so many acts somebody is shown everything; at the end, everybody."""
SUBMIT: Final[Act] = ("case.submit", None, False)
TO_LEAD: Final = ("case.acknowledge", "case.accept_lead")
TO_LEAD_FROM: Final = {"submitted": 0, "under_review": 1, "referring": 2}
LIKELY: Final = st.integers(0, 3).map(bool)


class Service:
    """The service, with an account of everybody; one case after the other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = {
            name: world.someone(actor.focal_point, map(Role, actor.roles))
            for name, actor in ACTORS.items()
        }
        self.seconds = {name: world.someone(name, {role}) for name, role in SECONDS.items()}
        self.begins()

    def begins(self) -> None:
        """Begin a new story."""
        self.world.now = NOON
        self.code = ""
        self.ids: dict[str, list[str]] = {"referral": [], "handover": [], "consent": []}
        self.versions: dict[str, int] = {}
        self.told: Json = {}

    def writes(self, body: Json) -> Response:
        """Write the case, with its consents."""
        response = self.people[POST].creates("/cases", body)
        if response.is_success:
            self.code = response.json()["code"]
            self.learns(f"/cases/{self.code}", response)
            listed = done(self.people[POST].get(f"/cases/{self.code}/consents"))["items"]
            ids = {terms_of(one): one["id"] for one in listed}
            self.ids["consent"] += [ids[terms_of(one)] for one in body["consents"]]
        return response

    def learns(self, path: str, response: Response) -> None:
        """Remember the version of a record, as whoever saw it would, and what it shows."""
        self.told = response.json() if response.status_code in {200, 201} else {}
        if response.status_code in {200, 201} and response.json().get("version"):
            self.versions[path] = response.json()["version"]

    def path(self, about: str, target: Any) -> str:
        """Say where a record is."""
        if about == "case":
            return f"/cases/{self.code}"
        number = target[0] if isinstance(target, tuple) else target
        return f"/{about}s/{self.ids[about][number]}"

    def does(self, name: str, act: Act) -> Verdict:  # noqa: PLR0911 - one for each
        """Ask the service for one act."""
        action, target, _ = act
        someone, case = self.people[name], f"/cases/{self.code}"
        self.told = {}
        match action:
            case "time.pass":
                self.world.passes(hours=target)
                return OK
            case "consent.record":
                return self.made(
                    "consent", someone.creates(f"{case}/consents", given(target))
                )
            case "consent.withdraw":
                consent = self.ids["consent"][target]
                return said(someone.post(f"{case}/consents/{consent}/withdraw"))
            case "risk.assess":
                return said(someone.creates(f"{case}/risk-assessments", {"level": target}))
            case "safeguards.write":
                return said(self.steps(someone, case, "safeguards", guards(target), "PUT"))
            case "referral.open":
                return self.made("referral", self.opens(someone, *target))
            case "handover.offer":
                body = {"to": target, "reason": "OTHER"}
                return self.made("handover", someone.creates(f"{case}/handovers", body))
            case _:
                return self.takes(someone, act)

    def takes(self, someone: Someone, act: Act) -> Verdict:
        """Take a step of the case, a referral or a handover."""
        action, target, _ = act
        about, _, step = action.partition(".")
        path, sent = self.path(about, target), body_of(self.world, act)
        response = self.steps(someone, path, step.replace("_", "-"), sent)
        if response.status_code == 202:
            response = self.allowed(someone, path, step, sent, response)
        if action == "referral.redirect" and response.is_success:
            self.finds_drafts()
        return said(response)

    def opens(self, someone: Someone, one: Any, send: bool) -> Response:
        body = {"recipient": one.to, "service": one.service, "send": send}
        body["sections"] = sorted(one.sections)
        return someone.creates(f"/cases/{self.code}/referrals", body)

    def made(self, about: str, response: Response) -> Verdict:
        """Remember what was made."""
        if response.is_success:
            made = response.json()["id"]
            self.ids[about].append(made)
            self.learns(f"/{about}s/{made}", response)
        return said(response)

    def steps(
        self,
        someone: Someone,
        path: str,
        step: str,
        body: Any,
        method: str = "POST",
        **headers: str,
    ) -> Response:
        """Take a step, and read the record again if it has changed meanwhile."""
        for _ in range(2):
            tag = {"If_Match": f'"{self.versions.get(path, 1)}.{"0" * 16}"'}
            response = someone.ask(method, f"{path}/{step}", body, headers=tag | headers)
            self.learns(path, response)
            if response.status_code != 412:
                break
            self.learns(path, someone.get(path))
        return response

    def allowed(
        self, someone: Someone, path: str, step: str, body: Any, asked: Response
    ) -> Response:
        """Let a second person allow it, and ask again."""
        question = asked.json()["id"]
        done(self.seconds[someone.code].post(f"/approvals/{question}/approve"))
        return self.steps(someone, path, step, body, approval=question)

    def finds_drafts(self) -> None:
        """Find the draft that came of a redirection, as whoever holds the case."""
        for name in NAMES:
            listed = self.lists(name, "referral")
            new = [one for one in listed if one not in self.ids["referral"]]
            self.ids["referral"] += new

    def lists(self, name: str, about: str) -> dict[str, Json]:
        """List the referrals or handovers that somebody sees, by id."""
        found = self.people[name].get(f"/{about}s", case=self.code, limit=200)
        return {one["id"]: one for one in done(found)["items"]}

    def shows(self, name: str) -> list[Any]:
        """Everything somebody sees of the case."""
        response = self.people[name].get(f"/cases/{self.code}")
        self.learns(f"/cases/{self.code}", response)
        shown: list[Any] = [spell_case(response.json()) if response.is_success else None]
        for about, spell in SPELLED.items():
            ids = self.ids[about]
            listed = self.lists(name, about) if ids else {}
            assert set(listed) <= set(ids)
            shown += [spell(listed[one]) if one in listed else None for one in ids]
        return shown


def terms_of(consent: Json) -> tuple[Any, ...]:
    """What tells consents apart: the service keeps no order among those of one moment."""
    who = consent.get("focal_point")
    return who, tuple(sorted(consent["purposes"])), tuple(sorted(consent["sections"]))


def steps_of(record: Json) -> frozenset[tuple[str, bool]]:
    return frozenset((one["action"], one["open"]) for one in record["available_actions"])


def spell_case(case: Json) -> tuple[Any, ...]:
    you_are = tuple(case["you_are"])
    return you_are, case["state"], case["lead"], case["holder"], steps_of(case)


def spell_referral(referral: Json) -> tuple[Any, ...]:
    you_are = tuple(referral["you_are"])
    return you_are, referral["state"], referral["sender"], steps_of(referral)


def spell_handover(handover: Json) -> tuple[Any, ...]:
    you_are = tuple(handover["you_are"])
    return you_are, handover["state"], handover["lead"], steps_of(handover)


SPELLED: Final = {"referral": spell_referral, "handover": spell_handover}


def said(response: Response) -> Verdict:
    """What the service answered, in the words of the model."""
    if response.is_success:
        return ("gone",) if response.status_code == 204 else OK
    _, name = problem(response)
    return (
        (name, *(need for need, _ in lacks(response))) if name == "needs-unmet" else (name,)
    )


def expected(world: Model, name: str) -> list[Any]:
    """Everything somebody should see of the case."""
    actor = ACTORS[name]
    return [
        view_case(world, actor),
        *(view_referral(world, one, actor) for one in world.referrals),
        *(view_handover(world, one, actor) for one in world.handovers),
    ]


class Story(RuleBasedStateMachine):
    """One case, as it goes on."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service, self.model, self.turn, self.sound = service, Model(), 0, True
        service.begins()

    @initialize(
        kinds=st.lists(st.sampled_from(sorted(CONSENTS)), max_size=5, unique=True),
        level=st.sampled_from(["low", "high", None]),
        far=st.sampled_from(["draft", "submitted", "under_review", *["referring"] * 3]),
    )
    def write(self, kinds: list[str], level: str | None, far: str) -> None:
        """Write the case, and bring it as far as it comes."""
        if far != "draft":
            kinds = sorted({*kinds, "refer", "services"})
        consents = tuple(Consent(kind, POST) for kind in kinds)
        self.model = Model(consents=consents, risk=(0, level) if level else None)
        verdict, after = predict(self.model, ACTORS[POST], SUBMIT)
        body = new_case(
            consents=[given(kind) for kind in kinds],
            risk={"level": level} if level else None,
            safeguards=guards("nothing"),
        )
        if far != "draft":
            assert said(self.service.writes(body | {"submit": True})) == verdict
        if far == "draft" or verdict != OK:
            done(self.service.writes(body))
            return
        self.model = after
        for action in TO_LEAD[: TO_LEAD_FROM[far]]:
            self.take(self.model.holder or POST, (action, None, False))

    @rule(data=st.data(), likely=LIKELY, ends=RARELY, group=st.sampled_from(GROUPS))
    def act(self, data: st.DataObject, likely: bool, ends: bool, group: Any) -> None:
        """Let somebody do something, mostly what they may; rarely what ends the story."""
        chosen = [(name, act) for name in NAMES for act in group(self.model)]
        if likely:
            ends = ends and self.turn > EARLY
            able = self.able(group, ends=ends) or self.able(acts_on_case, ends=ends)
            chosen = able or chosen
        action = data.draw(st.sampled_from(sorted({act[0] for _, act in chosen})))
        some = [(name, act) for name, act in chosen if act[0] == action]
        self.take(*data.draw(st.sampled_from(some)))

    def take(self, name: str, act: Act) -> None:
        """Act, on both; then compare what one of them sees."""
        verdict, self.model = predict(self.model, ACTORS[name], act)
        self.sound = False
        assert self.service.does(name, act) == verdict, (name, act)
        self.compare_answer(name)
        self.sound = True
        self.turn += 1
        if self.turn % EACH == 0:
            self.compare(NAMES[self.turn // EACH % len(NAMES)])

    def able(self, group: Any, *, ends: bool) -> list[tuple[str, Act]]:
        """List who may do what, as far as the model knows."""
        acts = [act for act in group(self.model) if ends or act[0] not in ENDINGS]
        parts = [name for name in NAMES if self.model.parts(ACTORS[name].focal_point)]
        return [(name, act) for name in parts for act in acts if self.may(name, act)]

    def may(self, name: str, act: Act) -> bool:
        """Whether somebody may do something, as far as the model knows."""
        return predict(self.model, ACTORS[name], act)[0] in {OK, GONE}

    def compare_answer(self, name: str) -> None:
        """Compare what the answer showed, if it showed a record of the story."""
        told, actor = self.service.told, ACTORS[name]
        match told:
            case {"code": _}:
                assert spell_case(told) == view_case(self.model, actor), name
            case {"id": one, "service": _}:
                number = self.service.ids["referral"].index(one)
                expected = view_referral(self.model, self.model.referrals[number], actor)
                assert spell_referral(told) == expected, name
            case {"id": one, "to": _}:
                number = self.service.ids["handover"].index(one)
                expected = view_handover(self.model, self.model.handovers[number], actor)
                assert spell_handover(told) == expected, name
            case _:
                pass

    def compare(self, name: str) -> None:
        """Show one of them everything."""
        self.sound = False
        pairs = zip(self.service.shows(name), expected(self.model, name), strict=True)
        assert not [(name, *pair) for pair in pairs if pair[0] != pair[1]]
        self.sound = True

    @override
    def teardown(self) -> None:
        """Show everybody everything, at the end."""
        for name in NAMES if self.service.code and self.sound else ():
            self.compare(name)


class Direct:
    """A client on an event loop of its own: a test client starts one for each request."""

    def __init__(self, app: FastAPI, runner: Runner) -> None:
        transport = ASGITransport(app, raise_app_exceptions=False)
        self.client = AsyncClient(transport=transport, base_url="http://testserver")
        self.runner = runner

    def request(self, *said: Any, **rest: Any) -> Response:
        return self.runner.run(self.client.request(*said, **rest))


@pytest.fixture
def service(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Open the service with an account of everybody."""
    with Runner() as runner:
        monkeypatch.setattr(world, "http", Direct(world.app, runner))
        yield Service(world)
        monkeypatch.undo()


@pytest.mark.slow
@pytest.mark.soak
def test_the_service_does_what_the_model_says(service: Service) -> None:
    is_sqlite = service.world.database.engine.dialect.name == "sqlite"
    stories = settings(
        max_examples=times(200 if is_sqlite else 40, soak=5000),
        stateful_step_count=times(30, soak=60),
        deadline=None,
        derandomize=not SOAK,
        report_multiple_bugs=False,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )

    class OfService(Story):
        def __init__(self) -> None:
            super().__init__(service)

    run_state_machine_as_test(OfService, settings=stories)
