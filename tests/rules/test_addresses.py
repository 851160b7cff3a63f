"""Only a value that is exactly one e-mail address or one phone number is accepted."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory.addresses import Channel, is_address, truncate_address

GOOD = [
    "duty@example.org",
    "duty.officer+24h@post.example.org",
    "o'neil_1@example.co",
    "a@b.cd",
    "duty@xn--80akhbyknj4f.xn--p1ai",
    f"{'a' * 64}@example.org",
    f"a@{'b' * 63}.{'c' * 63}.{'d' * 63}.org",
]
BAD = {
    "a line break": "duty@example.org\nBcc: all@example.org",
    "a carriage return": "duty@example.org\r",
    "a break at the end": "duty@example.org\n",
    "a NUL": "duty@example.org\0",
    "a display name": "Duty <duty@example.org>",
    "angle brackets": "<duty@example.org>",
    "a comment": "duty(night)@example.org",
    "a quoted part": '"duty officer"@example.org',
    "two": "duty@example.org,all@example.org",
    "two, with a semicolon": "duty@example.org;all@example.org",
    "two signs": "duty@evil.example@example.org",
    "the percent hack": "duty%evil.example@example.org",
    "a bang path": "evil.example!duty@example.org",
    "a route": "@evil.example:duty@example.org",
    "an IP address": "duty@[192.0.2.1]",
    "bare numbers": "duty@192.0.2.1",
    "letters beyond ASCII": "дежурный@example.org",
    "a domain beyond ASCII": "duty@пример.рф",
    "full-width": "duty@\uff45xample.org",
    "a space": "du ty@example.org",
    "a space before": " duty@example.org",
    "no domain": "duty@",
    "no local part": "@example.org",
    "no sign": "duty.example.org",
    "one label": "duty@localhost",
    "an empty label": "duty@example..org",
    "a dot at the end": "duty@example.org.",
    "a hyphen at an edge": "duty@-example.org",
    "an underscore": "duty@ex_ample.org",
    "a dot first": ".duty@example.org",
    "two dots": "du..ty@example.org",
    "a long local part": f"{'a' * 65}@example.org",
    "a long label": f"duty@{'b' * 64}.org",
    "too long": f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.org",
    "nothing": "",
}
NUMBERS = {
    "+77010000000": True,
    "+442071838750": True,
    "+1234567": True,
    "+123456": False,
    "+1234567890123456": False,
    "+0123456789": False,
    "77010000000": False,
    "0077010000000": False,
    "+7 701 000 00 00": False,
    "+77010000000\n": False,
    "+7701000000x": False,
    "+77010000000,+77010000001": False,
    "+٧٧٠١٠٠٠٠٠٠٠": False,
    "tel:+77010000000": False,
    "": False,
}


@pytest.mark.parametrize("address", GOOD)
def test_a_plain_address_is_one(address: str) -> None:
    assert is_address(Channel.EMAIL, address)


@pytest.mark.parametrize("what", BAD)
def test_whatever_is_more_or_less_than_an_address_is_refused(what: str) -> None:
    assert not is_address(Channel.EMAIL, BAD[what])


@pytest.mark.parametrize("number", NUMBERS)
def test_a_phone_number_is_of_e_164(number: str) -> None:
    assert is_address(Channel.SMS, number) == NUMBERS[number]


@given(st.text())
def test_what_is_taken_is_short_visible_ascii(text: str) -> None:
    for channel in Channel:
        for one in (text, f"{text}@example.org", f"a@{text}.org", f"+7{text}"):
            taken = is_address(channel, one)
            assert not taken or (
                one.isascii() and one.isprintable() and len(one) <= 254 and " " not in one
            )


@pytest.mark.timed
@pytest.mark.parametrize("evil", ["a." * 32768, "a@" + "b." * 32768, "+" + "1" * 65536])
def test_a_long_text_is_judged_at_once(evil: str) -> None:
    took = []
    for _ in range(5):
        began = time.perf_counter()
        assert [is_address(channel, evil) for channel in Channel] == [False, False]
        took.append(time.perf_counter() - began)

    assert min(took) < 0.05


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("duty@mfa.example.org", "…@mfa.example.org"),
        ("+77010000000", "+77…"),
    ],
)
def test_what_is_kept_of_an_address_reaches_nobody(address: str, shown: str) -> None:
    assert truncate_address(address) == shown
