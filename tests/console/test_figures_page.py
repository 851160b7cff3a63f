"""Tests of the page of figures, and of the counts on the first page."""

import gzip
import re

import pytest

from app.kernel.actors import Role
from tests.support.console_browser import ConsoleBrowser
from tests.support.work_ledger import Workers
from tests.support.world import Someone, World, unwrap

MOST_HTML = 12_000


@pytest.mark.parametrize("role", Role)
def test_the_menu_offers_the_page_to_the_roles_that_may_read_it(
    world: World, role: Role
) -> None:
    who = world.add_person("KZ_LEAD", {role})
    browser = ConsoleBrowser(who)
    may = who.get("/figures/own").is_success
    assert ('href="/console/figures"' in browser.get("").text) == may
    assert browser.get("figures").status_code == (200 if may else 403)


def test_an_office_without_cases_sees_that_there_is_nothing(lead: Someone) -> None:
    text = ConsoleBrowser(lead).get("figures").text
    assert text.count("Nothing in this period.") == 6
    assert "Not due yet" in text


@pytest.mark.parametrize("language", ["en", "ru", "es", "fr", "uz"])
def test_the_page_shows_each_figure_as_a_number_beside_its_bar(
    world: World, language: str
) -> None:
    workers = Workers(world, 1)
    for _ in range(4):
        workers.play_case()
    for who in (workers.lead, *workers.helpers.values()):
        browser = ConsoleBrowser(who, **{"Accept-Language": language})
        text = browser.get("figures").text
        rows = re.findall(r'<tr><th scope="row">.+?</th>(.+?)</tr>', text)
        assert len(rows) > 5
        for row in rows:
            assert re.search(r'<td class="n"[^>]*>\d', row)
            widths = [int(one) for one in re.findall(r'<rect [^>]*width="(\d+)%"', row)]
            assert widths
            assert sum(widths) <= 100
        assert "style=" not in text
        assert len(gzip.compress(text.encode())) < MOST_HTML


def test_the_page_shows_the_shares_and_the_times(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = officer.submit()
    world.advance(hours=5)
    lead.take_lead(case)
    sent = unwrap(lead.refer(case, shelter.code))
    unwrap(shelter.does("decline", sent, {"reason": "NO_CAPACITY"}))
    text = ConsoleBrowser(lead).get("figures").text
    assert ">5 hours</td>" in text
    assert "Our requests that others declined" in text
    assert re.search(
        r'No (free )?(place|capacity)[^<]*</th><td class="n" data-label="How many">1<', text
    )


def test_a_wrong_period_is_explained_beside_the_form(lead: Someone) -> None:
    answer = ConsoleBrowser(lead).get("figures?from=2026-06-02&to=2026-06-01")
    assert answer.status_code == 422
    assert 'value="2026-06-02"' in answer.text
    assert "must not be after" in answer.text


def test_the_period_of_the_address_is_shown(lead: Someone) -> None:
    text = ConsoleBrowser(lead).get("figures?from=2026-01-01&to=2026-03-31").text
    assert 'value="2026-01-01"' in text
    assert "From 1 Jan 2026 to 31 Mar 2026." in text


def test_the_first_page_counts_what_is_late_soon_and_with_others(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    def read_counts(who: Someone) -> list[tuple[str, str]]:
        text = ConsoleBrowser(who).get("").text
        found = re.findall(r"<li[^>]*><b>(\d+)</b>(?:<a [^>]*>)?([^<]+)", text)
        return [(name.strip(), count) for count, name in found]

    assert read_counts(lead) == [
        ("Late", "0"),
        ("Within 4 hours", "0"),
        ("Waiting for others", "0"),
    ]
    unwrap(lead.refer(lead.take_lead(officer.submit()), shelter.code))
    assert ("Waiting for others", "1") in read_counts(lead)
    caseworker = world.add_person("KZ_LEAD", {Role.CASEWORKER})
    assert "Waiting for others" not in dict(read_counts(caseworker))
    assert "Waiting for others" in dict(
        read_counts(world.add_person("KZ_LEAD", {Role.SUPERVISOR}))
    )


@pytest.mark.parametrize("language", ["en", "ru", "es", "fr", "uz"])
def test_oversight_sees_counts_of_an_office_whose_requests_end_without_help(
    world: World, officer: Someone, language: str
) -> None:
    for _ in range(10):
        case = officer.submit()
        unwrap(officer.does("withdraw", case, {"reason": "SENT_IN_ERROR"}))
    world.advance(days=21)
    headers = {"Accept-Language": language}
    pages = [
        ConsoleBrowser(world.add_person(code, {Role.SUPERVISOR}), **headers).get("figures")
        for code in ("OVERSIGHT_DEMO", "UZ_CONSULATE_ALMATY", "DESK_CENTRAL_ASIA")
    ]

    assert ['id="senders"' in page.text for page in pages] == [True, False, False]
    [row] = re.findall(r'id="senders".+?<tbody>(.+?)</tbody>', pages[0].text, re.DOTALL)
    assert re.findall(r'<td class="n"[^>]*>(\d+)<', row) == ["10", "10", "0", "0"]
    assert case["code"] not in pages[0].text
