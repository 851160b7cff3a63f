"""Text fields accept real names, and refuse text that would be displayed misleadingly."""

import json
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from app.kernel.text import (
    RequestModel,
    SafeLine,
    SafeText,
    is_plain,
    normalize_text,
    require_safe,
)

NAMES = {
    "Uzbek, Latin": "Oʻgʻiloy Gʻulomova",
    "Uzbek, Latin, tutuq belgisi": "Maʼrifat Sanʼatova",
    "Uzbek, Latin, as typed": "O'g‘iloy G`ulomova",
    "Uzbek, Cyrillic": "Ўктам Қодиров, Ғайрат Ҳамидов",
    "Tajik": "Ҷамшед Ӣсоев, Ӯғулбек Ҳақназаров",
    "Kazakh": "Әйгерім Құнанбаева, Ұлжан Іңкәр Өмірбек Һүсейін",
    "Kyrgyz": "Ңурбек Өмүралиева",
    "Persian, non-joiner": "علی\u200cرضا می\u200cخواهم",
    "Pashto": "ګل\u200cمینه ښایسته",
    "Arabic, vowels": "عبد الرَّحْمٰن",
    "Hebrew, points": "דָּוִד בֶּן־גּוּרִיּוֹן",
    "Hindi, joiner": "क्\u200dषमा शर्मा",
    "Hindi, non-joiner": "राज्\u200cकुमार",
    "Sinhala, joiner": "ශ්\u200dරී ජයවර්ධන",
    "Bengali, joiner before the virama": "র\u200d্যাচেল",
    "Haitian Creole": "Jan-Batis Pyè, Wozlò Sentòm",
    "Spanish": "María Núñez Ibáñez y Agüero",
    "Vietnamese": "Nguyễn Thị Hồng Nhung",
    "Romanian": "Ștefania Țîrlea",
    "Turkish": "İpek Işık Çağrı Öğüt",
    "Georgian": "ნინო ჯავახიშვილი",
    "Armenian": "Անահիտ Հակոբյան",
    "Chinese, beyond 16 bits": "𠮷野 王小明",
    "Amharic": "ሰላማዊት ገብረ",
    "Burmese": "အောင်ဆန်း",
    "Khmer": "សុខ ចាន់ធូ",
    "Thai": "สมหญิง รักไทย",
    "Korean": "김민수",
}
UNSAFE = {
    "NUL": "Maria\0Lopez",
    "bell": "Maria\aLopez",
    "escape": "Maria\x1b[2JLopez",
    "carriage return": "Maria\rLopez",
    "delete": "Maria\x7fLopez",
    "C1": "Maria\x9bLopez",
    "next line": "Maria\x85Lopez",
    "lone high surrogate": "Maria\ud800Lopez",
    "lone low surrogate": "Maria\udfffLopez",
    "override, right to left": "Maria\u202eLopez",
    "override, left to right": "Maria\u202dLopez",
    "embedding": "Maria\u202bLopez",
    "pop": "Maria\u202cLopez",
    "isolate, left to right": "Maria\u2066Lopez",
    "isolate, right to left": "Maria\u2067Lopez",
    "isolate, first strong": "Maria\u2068Lopez",
    "pop isolate": "Maria\u2069Lopez",
    "mark, right to left": "Maria\u200fLopez",
    "mark, Arabic letter": "Maria\u061cLopez",
    "zero-width space": "Maria\u200bLopez",
    "word joiner": "Maria\u2060Lopez",
    "byte order mark": "\ufeffMaria Lopez",
    "soft hyphen": "Mar\u00adia Lopez",
    "tag letter": "Maria\U000e0041Lopez",
    "line separator": "Maria\u2028Lopez",
    "paragraph separator": "Maria\u2029Lopez",
    "unassigned": "Maria\u0378Lopez",
    "no character": "Maria\uffffLopez",
    "private use": "Maria\ue000Lopez",
    "private use, plane 16": "Maria\U0010fffdLopez",
    "joiner first": "\u200dMaria Lopez",
    "joiner last": "Maria Lopez\u200d",
    "non-joiner first": "\u200cMaria Lopez",
    "non-joiner last": "Maria Lopez\u200c",
}
EMPTY = {
    "nothing": "",
    "spaces": "   ",
    "line breaks": "\n\t\n",
    "wide": "\u3000\u00a0\u2003",
}


class Form(RequestModel):
    name: SafeLine = "-"
    story: SafeText = "-"


def get_refusal(**fields: str) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        Form(**fields)
    return refused.value


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_real_name_passes_whole(name: str, form: str) -> None:
    spelled = unicodedata.normalize(form, name)  # type: ignore[arg-type]

    asked = Form(name=spelled, story=spelled)

    assert asked.name == asked.story == unicodedata.normalize("NFC", name)


def test_combining_marks_are_composed() -> None:
    form = Form(name="Nguye\u0302\u0303n")

    assert form.name == "Nguy\u1ec5n"


def test_a_story_may_have_lines_and_a_name_may_not() -> None:
    lines = "First.\n\n\tSecond."

    assert Form(story=lines).story == lines
    assert "line break" in str(get_refusal(name=lines))
    assert "line break" in str(get_refusal(name="Maria\tLopez"))


def test_white_space_around_is_dropped() -> None:
    assert Form(name="  Maria Lopez \n").name == "Maria Lopez"


@pytest.mark.parametrize("text", UNSAFE.values(), ids=UNSAFE)
@pytest.mark.parametrize("field", ["name", "story"])
def test_an_unsafe_text_is_refused(field: str, text: str) -> None:
    [error] = get_refusal(**{field: text}).errors(include_input=False)

    assert error["loc"] == (field,)
    assert error["type"] in {"text_unsafe", "string_unicode"}


@pytest.mark.parametrize("text", EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize("field", ["name", "story"])
def test_a_text_of_white_space_is_refused(field: str, text: str) -> None:
    [error] = get_refusal(**{field: text}).errors(include_input=False)

    assert error["type"] in {"text_unsafe", "string_too_short"}


@pytest.mark.parametrize(
    "text",
    [
        "\u3164",
        "\u115f\u1160",
        "\uffa0",
        "\u2800",
        "\u034f",
        "\ufe0f",
        "\u17b4",
        " \u3164 ",
    ],
    ids=ascii,
)
def test_a_text_that_shows_nothing_is_refused(text: str) -> None:
    [error] = get_refusal(name=text).errors(include_input=False)

    assert error["type"] == "text_unsafe"


@pytest.mark.parametrize(
    "text",
    [
        "Mar\u200cia",
        "Mar\u200dia",
        "Мар\u200cия",
        "Maria \u200c Lopez",
        "Maria\u200d Lopez",
        "7\u200c7",
        "می\u200c\u200cخواهم",
        "می \u200cخواهم",
    ],
    ids=ascii,
)
def test_a_joiner_where_nothing_joins_is_refused(text: str) -> None:
    [error] = get_refusal(name=text).errors(include_input=False)

    assert error["type"] == "text_unsafe"


def test_the_first_look_lets_nothing_pass_that_the_second_would_refuse() -> None:
    plain = [char for char in map(chr, range(0x110000)) if is_plain(char)]

    assert len(plain) > 100_000
    for char in plain:
        require_safe(f" {char} ", 1, char)


def test_a_text_is_as_long_as_its_field() -> None:
    assert len(Form(name="ñ" * 200, story="ñ" * 8000).story) == 8000
    assert "200" in str(get_refusal(name="ñ" * 201))
    assert "8000" in str(get_refusal(story="ñ" * 8001))


def test_what_was_accepted_is_accepted_again() -> None:
    grows_in_nfc = "\u0958" * 150

    try:
        accepted = Form(name=grows_in_nfc).name
    except ValidationError:
        return

    assert Form(name=accepted).name == accepted


@given(st.text(st.characters(), max_size=50))
def test_what_passes_is_normal_and_can_be_stored(text: str) -> None:
    try:
        passed = normalize_text(text)
    except PydanticCustomError:
        return

    assert normalize_text(passed) == passed == unicodedata.normalize("NFC", passed).strip()
    assert passed.encode()


@pytest.mark.parametrize("text", UNSAFE.values(), ids=UNSAFE)
def test_the_reasons_never_repeat_the_text(text: str) -> None:
    reasons = get_refusal(name=text).errors(include_input=False, include_url=False)

    words = json.dumps(reasons)

    assert "Maria" not in words
    assert words.isascii()
    assert words.encode()


@pytest.mark.parametrize("text", ["Maria\0Lopez", "Maria Lopez " * 20, "Maria\ud800"])
def test_the_refusal_itself_never_repeats_the_text(text: str) -> None:
    refused = get_refusal(name=text)

    assert "Maria" not in str(refused)
    assert "Maria" not in repr(refused)


def test_a_lone_surrogate_crashes_nothing() -> None:
    with pytest.raises(PydanticCustomError):
        normalize_text("\ud800")

    assert get_refusal(name="\ud800").json(include_input=False).encode()
    assert str(get_refusal(name="\ud800", story="\udc00")).encode()
    with pytest.raises(ValidationError):
        Form.model_validate_json(b'{"name": "\\ud800"}')
    with pytest.raises(ValidationError):
        Form.model_validate({"\ud800": "Maria"})


def test_a_pile_of_marks_is_read_in_good_time() -> None:
    pile = "a" + "\u0301\u0327" * 3999

    begun = time.thread_time()
    Form(story=pile)

    assert time.thread_time() - begun < 1
