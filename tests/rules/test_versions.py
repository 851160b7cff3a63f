"""A change is checked against the version that its sender has read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.problems import NotFound, Problem
from app.kernel.versions import Expected, Seen, VersionNotGiven, VersionStale, entity_tag

TAG = entity_tag(3, b"what was shown")
OLDER = entity_tag(2, b"what was shown")


def test_the_tag_names_the_version_and_changes_with_what_is_shown() -> None:
    tag = entity_tag(3, b"what was shown")

    assert tag.startswith('"3.')
    assert tag == TAG
    assert tag != entity_tag(3, b"what another party was shown")


@given(st.integers(min_value=0), st.binary())
def test_whoever_sends_the_tag_back_has_seen_the_version(
    version: int, shown: bytes
) -> None:
    seen = Seen(entity_tag(version, shown))

    seen.must_include(version)

    with pytest.raises(VersionStale):
        seen.must_include(version + 1)


@pytest.mark.parametrize(
    "header", [TAG, f" {TAG} ", f"{OLDER}, {TAG}", f"{TAG},{OLDER}", f"{OLDER} ,\t{TAG} ,"]
)
def test_one_fitting_tag_of_a_list_is_enough(header: str) -> None:
    Seen(header).must_include(3)

    with pytest.raises(VersionStale):
        Seen(header).must_include(4)


def test_another_view_of_the_same_version_will_do() -> None:
    Seen(entity_tag(3, b"what another party was shown")).must_include(3)


@pytest.mark.parametrize("header", [None, "*", " * "])
def test_whoever_names_no_version_is_asked_for_one(header: str | None) -> None:
    with pytest.raises(VersionNotGiven) as refused:
        Seen(header).must_include(3)

    assert refused.value.status == 428
    assert "If-Match" in refused.value.detail


@pytest.mark.parametrize(
    "header",
    [
        OLDER,
        entity_tag(4, b"what was shown"),
        entity_tag(33, b"what was shown"),
        f"W/{TAG}",  # a weak tag never matches (RFC 9110, 13.1.1)
        f"W/{TAG}, {OLDER}",
        "",
        ",",
        '""',
        '"',
        '"."',
        "3",
        TAG.strip('"'),
        TAG.replace('"', "'"),
        '" 3.0123456789abcdef"',
        '"03.0123456789abcdef"',
        '"+3.0123456789abcdef"',
        '"-3.0123456789abcdef"',
        '"3,0123456789abcdef"',
        '"٣.0123456789abcdef"',
        "\0",
        "\ud800",
        '"' * 10_000,
        "," * 10_000,
    ],
    ids=lambda header: ascii(header)[:36],
)
def test_what_is_not_the_tag_of_this_version_is_stale(header: str) -> None:
    with pytest.raises(VersionStale) as refused:
        Seen(header).must_include(3)

    assert refused.value.status == 412


@pytest.mark.parametrize(
    "header", ['"3', '"3.', '"3.0123456789abcdef', '"3."x', '"3.", x"']
)
def test_what_is_no_entity_tag_is_never_taken_for_one(header: str) -> None:
    with pytest.raises((VersionStale, VersionNotGiven)):
        Seen(header).must_include(3)


@given(st.text())
def test_no_header_makes_judging_fail(header: str) -> None:
    with pytest.raises((VersionStale, VersionNotGiven)):
        Seen(header).must_include(10**30)


NEW, NOTHING = Expected(None, "*"), None
SEEN = Expected(TAG, None)


def test_a_put_replaces_what_was_seen_and_makes_what_is_not_there() -> None:
    SEEN.must_be(TAG)
    Expected(f"{OLDER}, {TAG}", None).must_be(TAG)
    NEW.must_be(NOTHING)


@pytest.mark.parametrize(
    ("expected", "there", "refusal"),
    [
        (Expected(None, None), TAG, VersionNotGiven),
        (Expected(None, None), NOTHING, VersionNotGiven),
        (Expected(None, TAG), TAG, VersionNotGiven),
        (Expected(OLDER, None), TAG, VersionStale),
        (Expected("*", None), TAG, VersionStale),
        (Expected(f"W/{TAG}", None), TAG, VersionStale),
        (Expected("", None), TAG, VersionStale),
        (NEW, TAG, VersionStale),
        (Expected(TAG, "*"), TAG, VersionStale),
        (SEEN, NOTHING, NotFound),
        (Expected(TAG, "*"), NOTHING, NotFound),
        (Expected("*", None), NOTHING, NotFound),
    ],
)
def test_a_put_on_anything_else_is_refused(
    expected: Expected, there: str | None, refusal: type[Problem]
) -> None:
    with pytest.raises(refusal):
        expected.must_be(there)
