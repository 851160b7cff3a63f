"""Tests of the example figures in the demo, and of the quarter that follows them."""

from datetime import timedelta

from app.cli import operator_actions
from app.demo.example_figures import release_example_figures
from app.figures import release_queries
from app.figures.weeks import WEEK, Quarter, find_quarter, find_week
from app.kernel.actors import Role
from tests.support.figure_releases import add_overseers
from tests.support.world import World, unwrap


def test_made_up_figures_show_progress_and_a_challenge(world: World) -> None:
    one, second = add_overseers(world)
    release_example_figures(world.runtime, one.actor.account_id, second.actor.account_id)
    analyst = world.add_person("UZ_CONSULATE_ALMATY", {Role.ANALYST})

    releases = unwrap(analyst.get("/figures/releases"))["items"]
    report = unwrap(analyst.get("/figures/report"))
    changed = {
        (share["country"], share["measure"], share["service"]): share["change"]
        for share in report["shares"]
        if share["country"] and share["change"] != "similar"
    }

    assert [one["quarter"] for one in releases] == ["2026Q1", "2025Q4", "2025Q3", "2025Q2"]
    assert changed["KZ", "helped_within_24_hours", None] == "higher"
    assert changed["KG", "service_given", "LEGAL_AID"] == "lower"
    assert {country for country, *_ in changed} == {"KZ", "KG"}


def test_current_quarter_can_be_released_when_it_is_over(world: World) -> None:
    one, second = add_overseers(world)
    release_example_figures(world.runtime, one.actor.account_id, second.actor.account_id)
    current = find_quarter(find_week(world.now))
    world.add_person("UZ_CONSULATE_ALMATY").submit()
    world.now += timedelta(weeks=20)

    list(operator_actions.count_weeks(world.runtime))

    with world.database.begin_read() as session:
        assert release_queries.is_counted(session, current)
        assert not release_queries.is_counted(session, Quarter(current.year + 1, 1))
    assert max(current.list_weeks()) + WEEK < world.now.date()
