"""Cases that move: to a chosen office, to another country, and away from a failing lead."""

from app.figures.point_actions import MAX_OPEN
from app.kernel.actors import Role
from tests.examples.operations.bodies import make_case, make_consent, make_recipient
from tests.support.figure_releases import QUARTER, add_overseers, store_quarter
from tests.support.operation_player import Player
from tests.support.world import Json, Someone, unwrap

DESK = "DESK_CENTRAL_ASIA"


def play_moves(player: Player) -> None:
    """Run the journey of cases that a lead or a desk moves, and of the figures."""
    officer = player.world.add_person("UZ_CONSULATE_ALMATY")
    lead = player.world.add_person("KZ_LEAD")
    desk = player.world.add_person(DESK)
    second = player.world.add_person(DESK, {Role.SUPERVISOR})
    play_assignment(player, officer, desk)
    moved = officer.submit(**make_case(consents=[make_consent(), make_home_consent()]))
    there = {"country": "UZ", "note": "She joined her sister in Самарқанд."}
    code = str(lead.take_lead(moved)["code"])
    player.play("relocate_case", lead, there, code=code)
    play_failing_lead(player, officer, lead, (desk, second))
    play_refusals(player, officer)
    play_figures(player)
    play_points(player)


def make_home_consent() -> Json:
    """Return a consent to State offices in Uzbekistan."""
    return make_consent(make_recipient(recipient_class={"kind": "state", "country": "UZ"}))


def play_assignment(player: Player, officer: Someone, desk: Someone) -> None:
    """Choose, as a desk, the lead of a case for which no office could be asked."""
    elsewhere = make_consent(make_recipient(focal_point="KZ_SHELTER_KOGERSHIN"))
    case = officer.submit(**make_case(consents=[elsewhere]))
    unwrap(officer.create(f"/cases/{case['code']}/consents", make_consent()))
    chosen = {
        "focal_point": "KZ_LEAD",
        "reason": "LOCAL_KNOWLEDGE",
        "note": "They know the farm.",
    }
    player.play("assign_case", desk, chosen, code=str(case["code"]))


def play_refusals(player: Player, officer: Someone) -> None:
    """Count a person who refused, and read the counts, which cover only past quarters."""
    player.play("record_refusal", officer, {"country": "KZ", "age_class": "adult"})
    analyst = player.world.add_person("UZ_CONSULATE_ALMATY", {Role.ANALYST})
    player.play("list_refusals", analyst)


def play_figures(player: Player) -> None:
    """Release a quarter's figures as two people of the oversight office, and read them."""
    store_quarter(player.world)
    one, second = add_overseers(player.world)
    wanted = {"quarter": str(QUARTER)}
    released = player.play_with(second, "release_figures", one, wanted)
    player.play("list_figure_releases", one)
    player.play("get_figure_release", one, release_id=str(released["id"]))
    period = {"from": "2026Q1", "to": "2026Q1", "compare": "2025Q1", "desk": DESK}
    player.play("get_meeting_report", one, query=period)
    player.play_refusal(
        "desk-unknown", "get_meeting_report", one, query={"desk": "KZ_LEAD"}
    )
    player.play_refusal(
        "report-period-invalid", "get_meeting_report", one, query={"compare": "2026Q1"}
    )
    player.play_refusal("quarter-released", "release_figures", one, wanted)
    early = {"quarter": "2026Q2"}
    player.play_refusal("quarter-not-counted", "release_figures", one, early)


def play_points(player: Player) -> None:
    """Write, complete and delete a follow-up point as a desk, and exceed the limit."""
    desk = player.world.add_person(DESK, {Role.COORDINATOR})
    wanted = {"meeting": "2026-05-20", "text": "A second shelter in Osh"}
    written = player.play("write_meeting_point", desk, wanted)
    point = {"point_id": str(written["id"])}
    player.play("complete_meeting_point", desk, **point)
    player.play("list_meeting_points", desk)
    player.play("delete_meeting_point", desk, **point)
    for _ in range(MAX_OPEN):
        unwrap(desk.create("/figures/meeting-points", wanted))
    player.play_refusal("too-many-meeting-points", "write_meeting_point", desk, wanted)


def play_failing_lead(
    player: Player, officer: Someone, lead: Someone, desk: tuple[Someone, Someone]
) -> None:
    """Stop a case. As two people of a desk, replace the closed lead of another case."""
    one, second = desk
    stop = {"reason": "SURVIVOR_REQUEST", "note": "She asked us to stop."}
    left = str(lead.take_lead(officer.submit(**make_case()))["code"])
    player.play("stop_case", lead, stop, code=left)
    code = str(lead.take_lead(officer.submit(**make_case()))["code"])
    player.world.close_office(lead.code)
    player.world.run_worker()
    consent = make_consent(
        kind="non_state",
        purposes=["REFER"],
        sections=["needs"],
        reason="LEAD_INACTIVE",
        evidence="By telephone, with an interpreter for Uzbek.",
    )
    del consent["recipients"]
    player.play("stop_case", one, stop, status=202, code=code)
    player.play_with(second, "record_lead_consent", one, consent, code=code)
    change = {
        "focal_point": "SANA_SEZIM",
        "reason": "LEAD_INACTIVE",
        "person_informed": True,
        "note": "She met them once and trusts them.",
    }
    player.play_with(second, "take_over_case", one, change, code=code)
