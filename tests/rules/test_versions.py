"""A change is accepted only if its sender has read the current version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.problems import NotFound, Problem
from app.kernel.versions import (
    ExpectedTag,
    SeenVersions,
    VersionNotGiven,
    VersionStale,
    format_entity_tag,
)

TAG = format_entity_tag(3, b"what was shown")
OLDER = format_entity_tag(2, b"what was shown")


def test_the_tag_names_the_version_and_changes_with_what_is_shown() -> None:
    tag = format_entity_tag(3, b"what was shown")

    assert tag.startswith('"3.')
    assert tag == TAG
    assert tag != format_entity_tag(3, b"what another party was shown")


@given(st.integers(min_value=0), st.binary())
def test_whoever_sends_the_tag_back_has_seen_the_version(
    version: int, shown: bytes
) -> None:
    seen = SeenVersions(format_entity_tag(version, shown))

    seen.require_version(version)

    with pytest.raises(VersionStale):
        seen.require_version(version + 1)


@pytest.mark.parametrize(
    "header", [TAG, f" {TAG} ", f"{OLDER}, {TAG}", f"{TAG},{OLDER}", f"{OLDER} ,\t{TAG} ,"]
)
def test_one_fitting_tag_of_a_list_is_enough(header: str) -> None:
    SeenVersions(header).require_version(3)

    with pytest.raises(VersionStale):
        SeenVersions(header).require_version(4)


def test_another_view_of_the_same_version_will_do() -> None:
    SeenVersions(format_entity_tag(3, b"what another party was shown")).require_version(3)


@pytest.mark.parametrize("header", [None, "*", " * "])
def test_whoever_names_no_version_is_asked_for_one(header: str | None) -> None:
    with pytest.raises(VersionNotGiven) as refused:
        SeenVersions(header).require_version(3)

    assert refused.value.status == 428
    assert "If-Match" in refused.value.detail


@pytest.mark.parametrize(
    "header",
    [
        OLDER,
        format_entity_tag(4, b"what was shown"),
        format_entity_tag(33, b"what was shown"),
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
        SeenVersions(header).require_version(3)

    assert refused.value.status == 412


@pytest.mark.parametrize(
    "header", ['"3', '"3.', '"3.0123456789abcdef', '"3."x', '"3.", x"']
)
def test_what_is_no_entity_tag_is_never_taken_for_one(header: str) -> None:
    with pytest.raises((VersionStale, VersionNotGiven)):
        SeenVersions(header).require_version(3)


@given(st.text())
def test_no_header_makes_judging_fail(header: str) -> None:
    with pytest.raises((VersionStale, VersionNotGiven)):
        SeenVersions(header).require_version(10**30)


NEW, NOTHING = ExpectedTag(None, "*"), None
SEEN = ExpectedTag(TAG, None)


def test_a_put_replaces_what_was_seen_and_makes_what_is_not_there() -> None:
    SEEN.require_tag(TAG)
    ExpectedTag(f"{OLDER}, {TAG}", None).require_tag(TAG)
    NEW.require_tag(NOTHING)


@pytest.mark.parametrize(
    ("expected", "there", "refusal"),
    [
        (ExpectedTag(None, None), TAG, VersionNotGiven),
        (ExpectedTag(None, None), NOTHING, VersionNotGiven),
        (ExpectedTag(None, TAG), TAG, VersionNotGiven),
        (ExpectedTag(OLDER, None), TAG, VersionStale),
        (ExpectedTag("*", None), TAG, VersionStale),
        (ExpectedTag(f"W/{TAG}", None), TAG, VersionStale),
        (ExpectedTag("", None), TAG, VersionStale),
        (NEW, TAG, VersionStale),
        (ExpectedTag(TAG, "*"), TAG, VersionStale),
        (SEEN, NOTHING, NotFound),
        (ExpectedTag(TAG, "*"), NOTHING, NotFound),
        (ExpectedTag("*", None), NOTHING, NotFound),
    ],
)
def test_a_put_on_anything_else_is_refused(
    expected: ExpectedTag, there: str | None, refusal: type[Problem]
) -> None:
    with pytest.raises(refusal):
        expected.require_tag(there)
