"""Labels and problems are in the reader's language, or name the language they are in."""

import pytest
from httpx2 import Response

from app.directory.actions import get_standard_data
from app.directory.files import read_folder as read_directory
from app.kernel.languages import LANGUAGES
from tests.support.world import Json, Someone, World, get_path

OWN = """
services decline_reasons withdraw_reasons closure_reasons suspend_reasons handover_reasons
stop_reasons reopen_reasons assign_reasons take_over_reasons erasure_reasons
"""
SOURCED = """
intake_ways dimensions elements scoring_rules
vic_MethodsOfControl htcds_definitions
"""


def get_in_language(one: Someone, path: str, wish: str) -> Response:
    return one.ask("GET", path, headers={"Accept-Language": wish})


def list_items(one: Someone, name: str, wish: str) -> list[Json]:
    answer = get_in_language(one, f"/reference/{name}", wish)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


@pytest.mark.parametrize("language", ["en", "es", "fr", "ru", "uz"])
@pytest.mark.parametrize("name", OWN.split())
def test_our_own_lists_are_read_in_five_languages(
    name: str, language: str, officer: Someone
) -> None:
    answer = get_in_language(officer, f"/reference/{name}", f"{language}, de;q=0.5")

    assert answer.headers["Content-Language"] == language
    assert answer.headers["Vary"] == "Accept-Language"
    for item in answer.json()["items"]:
        assert (item["language"], item["label"]) == (language, item["labels"][language])
        assert item["translation"].startswith("own translation: not sourced")


@pytest.mark.parametrize("name", SOURCED.split())
def test_a_text_of_somebody_else_is_not_translated_and_says_so(
    name: str, officer: Someone
) -> None:
    answer = get_in_language(officer, f"/reference/{name}", "ru")

    assert answer.headers["Content-Language"] == "en"
    for item in answer.json()["items"]:
        assert (item["language"], list(item["labels"])) == ("en", ["en"])
        assert item["translation"] is None
        assert item["translation_status"] is None


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "ht"])
def test_countries_are_named_in_every_language_that_has_names(
    language: str, officer: Someone
) -> None:
    items = list_items(officer, "countries", language)

    assert {item["language"] for item in items} == {language}
    assert len(items) == 249


def test_countries_and_languages_are_named_as_their_readers_name_them(
    officer: Someone,
) -> None:
    def get_label(name: str, code: str, wish: str) -> str:
        [found] = [i["label"] for i in list_items(officer, name, wish) if i["code"] == code]
        return str(found)

    assert get_label("countries", "UZ", "ru") == "Узбекистан"
    assert get_label("countries", "KZ", "uz-Cyrl-UZ") == "Қозоғистон"
    assert get_label("countries", "US", "es-MX") == "Estados Unidos"
    assert get_label("languages", "tg", "fr") == "tadjik"
    assert get_label("languages", "uz-Cyrl", "en") == "Uzbek (Cyrillic)"
    assert get_label("languages", "prs", "en") == "Dari"


def test_no_language_passes_off_the_names_of_another_as_its_own(officer: Someone) -> None:
    items = list_items(officer, "countries", "en")
    tags = {tag for item in items for tag in item["labels"]}

    labels = {tag: tuple(item["labels"].get(tag) for item in items) for tag in tags}

    assert tags == set(LANGUAGES) - {"ht"}
    assert len(set(labels.values())) == len(tags)
    assert {item["language"] for item in list_items(officer, "countries", "ht")} == {"en"}


def test_each_language_that_the_directory_names_has_a_name(officer: Someone) -> None:
    spoken = {
        tag
        for row in read_directory(get_standard_data()).countries
        for tag in row.languages
    }

    assert spoken <= {item["code"] for item in list_items(officer, "languages", "en")}


def test_a_name_that_a_language_lacks_is_in_english_and_says_so(officer: Someone) -> None:
    answer = get_in_language(officer, "/reference/languages", "tg")
    items = answer.json()["items"]

    assert answer.headers["Content-Language"] == "tg, en"
    assert {item["language"] for item in items} == {"tg", "en"}
    for item in items:
        assert item["label"] == item["labels"][item["language"]]
        assert (item["language"] == "en") == ("tg" not in item["labels"])


def test_the_tag_is_of_one_language_alone(officer: Someone) -> None:
    path = "/reference/services"
    ru, uz = get_in_language(officer, path, "ru"), get_in_language(officer, path, "uz")
    tag = ru.headers["ETag"]

    def ask_again(wish: str) -> Response:
        headers = {"Accept-Language": wish, "If-None-Match": tag}
        return officer.ask("GET", path, headers=headers)

    assert tag != uz.headers["ETag"]
    assert ask_again("ru").status_code == 304
    assert ask_again("ru").headers["Vary"] == "Accept-Language"
    assert ask_again("uz").status_code == 200


def test_a_header_that_comes_twice_is_one_wish(officer: Someone) -> None:
    sent = [*officer.make_headers().items(), ("Accept-Language", "fr;q=0.5")]
    twice = [*sent, ("Accept-Language", "es")]

    answer = officer.world.http.get("/v1/reference/services", headers=twice)

    assert answer.headers["Content-Language"] == "es"


MALFORMED = [
    b"",
    b";",
    b",,,",
    b"ru;q=9",
    b"ru_RU",
    b"\xff\xfe",
    "ру".encode(),
    b"*" * 8000,
    b"-" * 8000,
    b"a-" * 4000,
    b"q=1;" * 2000,
    b"ru;q=0.12345",
    b"en;q=0",
]


@pytest.mark.parametrize("wish", MALFORMED)
def test_a_header_that_cannot_be_read_is_passed_over(wish: bytes, officer: Someone) -> None:
    headers = [
        *((n.encode(), v.encode()) for n, v in officer.make_headers().items()),
        (b"Accept-Language", wish),
    ]

    for path, status in (("/v1/reference/services", 200), ("/v1/cases/x/history", 422)):
        answer = officer.world.http.get(path, headers=headers)
        assert answer.status_code == status
        assert answer.headers["Content-Language"] == "en"


@pytest.mark.parametrize(
    ("wish", "language", "title"),
    [
        ("ru-KZ", "ru", "Такой записи нет, или вам нельзя её видеть."),
        ("es-419, en;q=0.9", "es", "No existe tal registro, o no le corresponde verlo."),
        ("uz", "uz", "Bunday yozuv yoʻq yoki uni koʻrish sizga tegishli emas."),
        ("fr", "fr", "Cet enregistrement n’existe pas, ou vous ne pouvez pas le voir."),
        ("tg, ru;q=0.5", "ru", "Такой записи нет, или вам нельзя её видеть."),
        ("kk", "en", "There is no such record, or it is not yours to see."),
    ],
)
def test_a_problem_is_titled_in_the_language_of_the_caller(
    wish: str, language: str, title: str, officer: Someone
) -> None:
    english = officer.get("/reference/nothing")
    refused = get_in_language(officer, "/reference/nothing", wish)

    assert refused.headers["Content-Language"] == language
    assert refused.headers["Vary"] == "Accept-Language"
    assert refused.json()["title"] == title
    same = {"type", "status", "detail"}
    assert {n: refused.json()[n] for n in same} == {n: english.json()[n] for n in same}


def test_faults_are_titled_too_and_their_codes_stay(officer: Someone) -> None:
    refused = get_in_language(officer, "/cases?limit=0", "ru")

    assert refused.status_code == 422
    assert refused.json()["title"] == "Запрос имеет неверную форму."
    assert refused.json()["errors"][0]["code"] == "greater_than_equal"


def test_who_is_not_known_is_told_so_in_their_language(world: World) -> None:
    refused = world.http.get("/v1/cases", headers={"Accept-Language": "ru"})

    assert (refused.status_code, refused.headers["Content-Language"]) == (401, "ru")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_what_http_has_a_word_for_says_that_it_is_english(world: World) -> None:
    requests = (("GET", "/v1/nowhere", 404), ("DELETE", "/v1/cases", 405))

    for method, path, status in requests:
        refused = world.http.request(method, path, headers={"Accept-Language": "ru"})
        assert (refused.status_code, refused.headers["Content-Language"]) == (status, "en")


def test_what_is_not_translated_does_not_vary(officer: Someone) -> None:
    case = officer.submit()

    for path in (get_path(case), "/cases", "/events", "/me"):
        assert "Vary" not in get_in_language(officer, path, "ru").headers
