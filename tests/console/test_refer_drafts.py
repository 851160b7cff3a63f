"""Tests that values entered in "Refer someone" are not lost, and are in no URL or log."""

import re
from html import unescape

import pytest

from app.console.refer_steps import STEPS as PAGES
from app.console.visits import SESSION_COOKIE
from tests.support.canaries import ARABIC, CYRILLIC, LATIN, find_markers, log_everything
from tests.support.console_browser import ConsoleBrowser
from tests.support.refer_form import HIDDEN, NEEDS, SAFE, STEPS, WHO, Form, ReferBrowser
from tests.support.world import Someone, World, unwrap

TYPED = f"{LATIN} {CYRILLIC} {ARABIC} <b>&amp;\"'"


def read_draft(officer: Someone) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for one in unwrap(officer.get("/form-drafts/refer"))["values"]:
        values.setdefault(one["name"], []).append(one["value"])
    return values


def find_controls(page: str) -> set[str]:
    """Return the names of the visible fields on a page."""
    form = page.partition("<main")[2].partition("</main>")[0]
    return set(
        re.findall(
            r'<(?:input(?! type="hidden")|select|textarea)[^>]* name="([^"]+)"', form
        )
    )


@pytest.mark.parametrize("number", range(1, 6))
def test_each_step_has_a_control_for_each_of_its_fields(
    officer: Someone, number: int
) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)

    page = browser.get(f"refer/{number}")

    assert page.status_code == 200
    names = {one.name for one in PAGES[number - 1].fields}
    assert find_controls(page.text) == names


@pytest.mark.parametrize("number", range(1, 6))
def test_each_step_is_a_form_that_needs_no_script(officer: Someone, number: int) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    page = browser.get(f"refer/{number}").text

    assert f'<form method="post" action="/console/refer/{number}"' in page
    assert "onclick" not in page
    assert "<script src=" in page
    assert page.count("<script") == 1


@pytest.mark.parametrize("number", ["0", "6", "x", "1/nothing"])
def test_another_step_does_not_exist(officer: Someone, number: str) -> None:
    assert ReferBrowser(officer).get(f"refer/{number}").status_code == 404


@pytest.mark.parametrize(
    ("number", "form", "missing", "errors"),
    [
        (1, SAFE, "summary/country", 1),
        (1, SAFE, "summary/safe_contact", 1),
        (3, NEEDS, "summary/priority", 1),
        (3, NEEDS, "risk/level", 1),
        (3, NEEDS, "needs/summary", 1),
        (4, WHO, "basis", 1),
        (4, WHO, "allow", 1),
        (4, WHO, "consent/form_version", 1),
        (4, WHO, "contact/alias", 1),
    ],
)
def test_a_missing_answer_is_named_at_its_field_and_the_rest_is_kept(
    officer: Someone, number: int, form: Form, missing: str, errors: int
) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(*STEPS[:4])
    typed = {name: value for name, value in form.items() if name != missing}

    answer = browser.fill(number, typed)

    assert answer.status_code == 422
    anchor = f"refer-{missing.replace('/', '-')}"
    assert answer.text.count(f'href="#{anchor}"') == errors
    assert f'id="{anchor}"' in answer.text
    assert 'class="error"' in answer.text
    kept = read_draft(officer)
    for name, value in typed.items():
        assert kept[name] == (value if isinstance(value, list) else [value])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"consent__obtained_on": "2026-06-02"}, "consent-obtained_on"),
        ({"consent__expires_at": "2026-05-31"}, "consent-expires_at"),
        ({"consent__expires_at": "soon"}, "consent-expires_at"),
        ({"allow": ["office:refer"]}, "office"),
        ({"office": "IOM"}, "allow"),
        ({"basis": "vital_interest"}, "vital_interest-note"),
    ],
)
def test_a_consent_that_cannot_be_right_is_refused_at_its_field(
    officer: Someone, changes: dict[str, str], field: str
) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS)

    answer = browser.fill(4, WHO, **changes)

    assert answer.status_code == 422
    assert f'href="#refer-{field}"' in answer.text


def test_an_answer_that_the_service_refuses_leads_back_to_its_field(
    officer: Someone,
) -> None:
    browser = ReferBrowser(officer)
    hidden = {**NEEDS, "needs/summary": "A bed \u202e for tonight"}
    browser.fill_all(SAFE, {}, hidden, WHO)

    answer = browser.fill(5, {"external_reference": "no spaces please"})

    assert answer.status_code == 422
    assert 'href="/console/refer/3#refer-needs-summary"' in answer.text
    assert 'href="/console/refer/5#refer-external_reference"' in answer.text
    assert read_draft(officer)["external_reference"] == ["no spaces please"]
    browser.fill(3, NEEDS)
    assert browser.fill(5, {}).status_code == 303


def test_what_was_typed_is_on_the_page_after_signing_in_again(officer: Someone) -> None:
    ReferBrowser(officer).fill(3, NEEDS, needs__summary=TYPED, summary__priority="")

    again = ConsoleBrowser(officer)

    page = again.get("refer/3").text
    assert TYPED in unescape(page)
    assert "<b>&amp;amp;" not in page.replace("&lt;b&gt;", "")
    assert 'value="SHELTER" aria-label="Safe accommodation: Asked for" checked' in page


def test_draft_that_another_client_saved_can_be_continued(officer: Someone) -> None:
    values = [{"name": "needs/summary", "value": TYPED}]
    unwrap(officer.ask("PUT", "/form-drafts/refer", {"values": values}))
    browser = ReferBrowser(officer)
    assert TYPED in unescape(browser.get("refer/3").text)

    assert browser.fill(1, SAFE).status_code == 303
    assert TYPED in unescape(browser.get("refer/3").text)
    assert browser.post("refer/discard", {}).status_code in {200, 303}


def test_what_was_typed_survives_the_end_of_a_session(officer: Someone) -> None:
    def sign_in() -> ReferBrowser:
        browser = ReferBrowser(officer)
        token = unwrap(officer.send("/sessions", {}))["token"]
        browser.headers["Cookie"] = f"{SESSION_COOKIE}={token}"
        return browser

    before = sign_in()
    before.post("refer/3/save", {"needs/summary": TYPED})
    officer.world.advance(minutes=16)
    assert before.post("refer/3/save", {"needs/summary": "late"}).status_code == 401

    assert TYPED in unescape(sign_in().get("refer/3").text)


def test_the_menu_offers_to_continue_at_the_step_to_which_the_officer_came(
    officer: Someone,
) -> None:
    browser = ReferBrowser(officer)
    begun = browser.http.get(
        "/console/refer", headers=browser.headers, follow_redirects=False
    )
    assert begun.headers["Location"] == "/console/refer/1"
    assert browser.post("refer/1", {}).status_code == 422
    browser.fill_all(SAFE, {}, NEEDS)
    browser.fill(1, SAFE)

    asked = browser.get("refer").text

    assert "Is it about the same person?" in asked
    assert 'href="/console/refer/4"' in asked
    assert 'href="/console/refer/discard"' in asked


def test_terms_of_a_consent_are_suggested_until_something_is_typed(
    officer: Someone,
) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS)
    page = browser.get("refer/4").text
    assert '<option value="uz" selected>' in page
    for suggested in ("2026-06-01", "2026-11-28", "console-1"):
        assert f'value="{suggested}"' in page
    assert not {name for name in read_draft(officer) if name.startswith("consent/")}

    browser.post("refer/4/save", {**WHO, "consent/form_version": ""})

    page = browser.get("refer/4").text
    assert 'value="console-1"' not in page
    assert 'value="2026-11-28"' in page


def test_going_back_saves_half_a_step_without_a_script(officer: Someone) -> None:
    browser = ReferBrowser(officer)

    answer = browser.post("refer/3", {"needs/summary": TYPED, "back": "yes"})

    assert answer.headers["Location"] == "/console/refer/2"
    assert read_draft(officer)["needs/summary"] == [TYPED]


def test_autosave_keeps_half_a_step_and_says_when(officer: Someone) -> None:
    browser = ReferBrowser(officer)

    answer = browser.post("refer/3/save", {"needs/summary": TYPED})

    assert (answer.status_code, answer.text) == (200, "Saved at 17:00")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert read_draft(officer)["needs/summary"] == [TYPED]
    assert TYPED in unescape(browser.get("refer/3").text)


def test_autosave_that_fails_says_so_and_the_page_keeps_what_was_typed(
    officer: Someone,
) -> None:
    browser = ReferBrowser(officer)
    long = "x" * 16_001

    saved = browser.post("refer/3/save", {"needs/summary": long})
    sent = browser.fill(3, NEEDS, needs__summary=long)

    assert (saved.status_code, saved.text) == (422, "Not saved")
    assert sent.status_code == 422
    assert long in sent.text


def test_autosave_of_an_ended_session_is_refused(world: World, officer: Someone) -> None:
    browser = ReferBrowser(officer)
    world.advance(days=4000)

    assert browser.post("refer/3/save", {"needs/summary": TYPED}).status_code == 401


def test_discard_asks_first_and_then_deletes_everything(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS)

    asked = browser.get("refer/discard")
    assert "Discard what you typed?" in asked.text
    assert read_draft(officer)["needs/summary"]

    assert browser.post("refer/discard", {}).status_code == 200
    assert officer.get("/form-drafts/refer").status_code == 404
    assert "Kazakhstan</option>" in browser.get("refer/1").text
    assert "selected" not in browser.get("refer/1").text


def test_a_sent_form_leaves_no_draft(officer: Someone) -> None:
    ReferBrowser(officer).send(*STEPS)

    assert officer.get("/form-drafts/refer").status_code == 404


def read_page(browser: ReferBrowser, number: int) -> dict[str, str]:
    """Return the names and the values of the hidden fields of a step."""
    return dict(HIDDEN.findall(browser.get(f"refer/{number}").text))


def test_a_form_that_is_sent_twice_says_that_it_was_sent(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    page = read_page(browser, 5)
    assert browser.fill(5, page).status_code == 303

    again = browser.fill(5, page, external_reference="ALM-7")

    assert again.status_code == 409
    assert "It was sent already" in again.text
    assert "ALM-7" in again.text
    assert "not complete" not in again.text
    assert officer.get("/form-drafts/refer").status_code == 404
    assert len(unwrap(officer.get("/cases"))["items"]) == 1


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("identity_lead", "Who the person is: only the office that leads"),
        ("perpetrators", "Suspected perpetrators"),
    ],
)
def test_part_of_the_matrix_has_the_same_words_on_each_page(
    officer: Someone, part: str, words: str
) -> None:
    browser = ReferBrowser(officer)
    who = {**WHO, "allow": ["state@KZ:refer", f"state@KZ:{part}"]}
    browser.fill_all(SAFE, {}, NEEDS, who)
    page = read_page(browser, 4)
    shown = [browser.get(f"refer/{number}").text for number in (4, 5)]
    browser.fill(5, {})

    shown.append(browser.fill(4, {**page, **who}).text)

    assert all(words in unescape(text) for text in shown)
    assert f"Kazakhstan: {words}" in unescape(shown[-1])


def test_a_form_that_is_gone_shows_its_answers_in_words(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    page = read_page(browser, 4)
    browser.fill(5, {})

    gone = unescape(browser.fill(4, {**page, **WHO}).text)

    assert "State offices: Kazakhstan: That help is asked for" in gone
    assert "Yes, the person agrees" in gone
    assert "Uzbekistan" in gone
    assert "Lola" in gone
    assert "state@KZ" not in gone
    first = unescape(browser.fill(1, {**page, **SAFE}).text)
    assert "18 or older" in first
    assert "safe_contact" not in first


@pytest.mark.parametrize("number", [4, 5])
def test_a_step_that_needs_the_country_leads_back_to_the_first_unfinished_one(
    officer: Someone, number: int
) -> None:
    browser = ConsoleBrowser(officer)
    begun = browser.http.get(
        f"/console/refer/{number}", headers=browser.headers, follow_redirects=False
    )
    assert begun.headers["Location"] == "/console/refer/1"
    ReferBrowser(officer).fill(1, SAFE)
    later = browser.http.get(
        f"/console/refer/{number}", headers=browser.headers, follow_redirects=False
    )

    assert later.headers["Location"] == "/console/refer/3"


def test_autosave_after_the_form_was_sent_saves_nothing(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    page = read_page(browser, 4)
    browser.fill(5, {})

    late = browser.post("refer/4/save", {**page, **WHO})

    assert (late.status_code, late.text) == (409, "Not saved")
    assert officer.get("/form-drafts/refer").status_code == 404


def test_a_form_that_was_sent_and_then_changed_is_not_sent_again(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    draft = unwrap(officer.get("/form-drafts/refer"))["values"]
    browser.fill(5, {})
    unwrap(officer.ask("PUT", "/form-drafts/refer", {"values": draft}))
    browser.fill(3, NEEDS, needs__summary="Another text")

    again = browser.fill(5, {})

    assert again.status_code == 409
    assert "It was sent already" in again.text
    assert len(unwrap(officer.get("/cases"))["items"]) == 1


def test_a_form_that_changed_after_it_was_checked_is_not_sent(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    checked = read_page(browser, 5)
    browser.post("refer/3/save", {**read_page(browser, 3), **NEEDS, "needs/summary": TYPED})

    refused = browser.fill(5, checked, external_reference="ALM-7")

    assert refused.status_code == 409
    assert "The form was changed after you opened this page" in refused.text
    assert 'href="/console/refer/5"' in refused.text
    assert unwrap(officer.get("/cases"))["items"] == []
    page = unescape(browser.get("refer/5").text)
    assert TYPED in page
    assert 'value="ALM-7"' in page
    again = browser.fill(5, {})
    assert "/refer/sent/" in again.headers["Location"]


def test_a_step_that_cannot_be_saved_still_belongs_to_its_draft(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {})

    refused = browser.fill(3, NEEDS, needs__summary="x" * 16_001)

    assert refused.status_code == 422
    hidden = dict(HIDDEN.findall(refused.text))
    assert hidden == read_page(browser, 3)
    assert "new" not in hidden


def test_a_page_about_one_person_changes_no_form_about_another(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    old = read_page(browser, 3)
    browser.post("refer/discard", read_page(browser, 5))
    browser.fill_all(SAFE, {})
    before = read_draft(officer)

    refused = browser.fill(3, {**old, **NEEDS}, needs__summary=TYPED)

    assert refused.status_code == 409
    assert TYPED in unescape(refused.text)
    assert browser.post("refer/3/save", {**old, **NEEDS}).status_code == 409
    assert browser.post("refer/discard", old).headers["Location"] == "/console/refer"
    assert read_draft(officer) == before


def test_a_colleague_sees_nothing_of_the_form(world: World, officer: Someone) -> None:
    ReferBrowser(officer).fill(3, NEEDS, needs__summary=TYPED)
    colleague = ConsoleBrowser(world.add_person(officer.code))

    for page in ("refer/3", "refer/5", "cases", "", "approvals"):
        assert not find_markers(colleague.get(page).content)


def test_nothing_that_was_typed_is_in_an_address_or_a_log(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    marked = {**WHO, "contact/alias": TYPED, "consent/evidence": TYPED}
    with log_everything() as log:
        answers = [
            browser.fill(1, SAFE),
            browser.fill(2, {}),
            browser.post("refer/3/save", {"needs/summary": TYPED}),
            browser.fill(3, NEEDS, needs__summary=TYPED, needs__safety_alert=TYPED),
            browser.fill(4, marked, basis=""),
            browser.fill(4, marked),
            browser.fill(5, {"external_reference": TYPED}),
            browser.fill(5, {}),
        ]
    assert answers[-1].headers["Location"].startswith("/console/refer/sent/")
    assert not find_markers("\n".join(log.lines).encode())
    addresses = [answer.headers.get("Location", "") for answer in answers]
    assert not find_markers("\n".join(addresses).encode())


@pytest.mark.parametrize("language", ["ru", "es", "fr", "uz"])
def test_each_step_is_shown_in_each_language(officer: Someone, language: str) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    browser.headers["Cookie"] += f"; __Host-sc-language={language}"

    for number in range(1, 6):
        page = browser.get(f"refer/{number}")
        assert page.status_code == 200
        assert f'<html lang="{language}"' in page.text


def test_lines_that_were_typed_are_saved_and_sent_as_lines(
    officer: Someone, lead: Someone
) -> None:
    typed = {**NEEDS, "needs/safety_alert": "Two men wait.\r\nOne has a car."}
    code = ReferBrowser(officer).send(SAFE, {}, typed, WHO, {})

    case = unwrap(lead.get(f"/cases/{code}"))
    unwrap(lead.does("acknowledge", case))
    alert = unwrap(lead.open(f"/cases/{code}/safety-alert"))
    assert "Two men wait.\nOne has a car." in alert.values()
