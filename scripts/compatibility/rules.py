"""The comparison of two forms of schemas, keyword by keyword."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from compatibility.changes import Change, Direction, Effect, make_addition, make_change
from compatibility.forms import COMPOSING, Form, encode_exactly, get_listed_values
from compatibility.places import Place

WORDS: Final = frozenset(
    {
        "title",
        "description",
        "summary",
        "example",
        "examples",
        "externalDocs",
        "$comment",
        "default",
        "deprecated",
    }
)
"""Keywords that reject no value. `default` is compared for fields and parameters."""
KNOWN: Final = "x-extensible-enum"
NONE: Final = float("-inf")
BOUNDS: Final = (
    (("minLength",), 1, 0),
    (("minItems",), 1, 0),
    (("minProperties",), 1, 0),
    (("maxLength",), -1, NONE),
    (("maxItems",), -1, NONE),
    (("maxProperties",), -1, NONE),
    (("minimum", "exclusiveMinimum"), 1, NONE),
    (("maximum", "exclusiveMaximum"), -1, NONE),
)
"""The keywords of each bound, the stricter last; then 1 for a minimum or -1 for a maximum;
then the value that means that there is no bound."""
TEXTS: Final = ("format", "pattern")
JUDGED: Final = COMPOSING | {
    *(keyword for keywords, *_ in BOUNDS for keyword in keywords),
    *TEXTS,
    "type",
    "enum",
    "const",
    "uniqueItems",
    "items",
    "properties",
    "required",
    "additionalProperties",
    "contentSchema",
}
CLOSED: Final = (
    "An enum is closed. Use a string with x-extensible-enum for a list that may grow."
)


def find_place(form: Form, *keywords: str) -> Place:
    """Return the place of the first of these keywords, or of the schema if none exists."""
    found = [place for keyword in keywords for place in form.find_keyword(keyword)]
    return [*found, form.parts[-1]][0]


def has_constraints(form: Form) -> bool:
    """Return whether a form constrains its values."""
    keywords = {keyword for part in form.parts for keyword in part.value}
    return any(not keyword.startswith("x-") for keyword in keywords - WORDS - COMPOSING)


def compare_enums(old: Form, new: Form, direction: Direction) -> Iterator[Change]:
    """Compare the lists of values that are allowed."""
    then, now = get_listed_values(old), get_listed_values(new)
    place = find_place(new, "enum", "const")
    if then is None or now is None:
        if now is not None:
            yield make_change(
                direction,
                Effect.NARROWER,
                place,
                f"the value can only be {format_values(now)}.",
            )
        if then is not None:
            yield make_change(
                direction,
                Effect.WIDER,
                place,
                f"the value can be more than {format_values(then)}.",
            )
        return
    if lost := list_missing(then, now):
        yield make_change(
            direction,
            Effect.NARROWER,
            place,
            f"the value can no longer be {format_values(lost)}.",
        )
    if gained := list_missing(now, then):
        closed_now = f" {CLOSED}" if direction is Direction.READ else ""
        yield make_change(
            direction,
            Effect.WIDER,
            place,
            f"the value can be {format_values(gained)}.{closed_now}",
        )


def compare_vocabularies(old: Form, new: Form, direction: Direction) -> Iterator[Change]:
    """Compare the lists of known values (`x-extensible-enum`), which may become longer."""
    then, now = (
        [word for words in form.get_values(KNOWN) for word in words] for form in (old, new)
    )
    place = find_place(new, KNOWN)
    if then and not now:
        yield make_addition(
            find_place(old, KNOWN), f"{direction}: the list of known values is removed."
        )
    if now and (lost := list_missing(then, now)):
        yield make_change(
            direction,
            Effect.NARROWER,
            place,
            f"{format_values(lost)} is no longer a known value.",
        )
    if gained := list_missing(now, then):
        yield make_addition(
            place, f"{direction}: {format_values(gained)} is an added known value."
        )


def list_missing(some: list[Any], others: list[Any]) -> list[Any]:
    """Return the values that are in the first list and not in the second."""
    known = set(map(encode_exactly, others))
    return [value for value in some if encode_exactly(value) not in known]


def format_values(values: list[Any]) -> str:
    """Return values as JSON text."""
    return ", ".join(map(encode_exactly, values))


def compare_bounds(old: Form, new: Form, direction: Direction) -> Iterator[Change]:
    """Compare minimums and maximums."""
    for keywords, sign, none in BOUNDS:
        then, now = (get_strictest(form, keywords, sign, none) for form in (old, new))
        if then != now:
            effect = Effect.NARROWER if now > then else Effect.WIDER
            is_now, was = (format_bound(bound, keywords, sign) for bound in (now, then))
            place = find_place(new, *keywords)
            yield make_change(
                direction, effect, place, f"the bound is {is_now}; it was {was}."
            )


def get_strictest(
    form: Form, keywords: tuple[str, ...], sign: int, none: float
) -> tuple[float, int]:
    """Return the strictest bound of a form. `sign` makes stricter bounds greater."""
    found = [
        (sign * value, strictness)
        for strictness, keyword in enumerate(keywords)
        for value in form.get_values(keyword)
    ]
    return max(found, default=(none, 0))


def format_bound(bound: tuple[float, int], keywords: tuple[str, ...], sign: int) -> str:
    """Return a bound in the notation of a schema."""
    value, strictness = bound
    return "none" if value == NONE else f"{keywords[strictness]} {sign * value}"


def compare_texts(old: Form, new: Form, direction: Direction) -> Iterator[Change]:
    """Compare formats and patterns. The effect of a changed pattern cannot be computed."""
    for keyword in TEXTS:
        then, now = (set(form.get_values(keyword)) for form in (old, new))
        place = find_place(new, keyword)
        is_now, was = (format_values(sorted(texts)) or "none" for texts in (now, then))
        what = f"{keyword} is {is_now}; it was {was}."
        if then < now:
            yield make_change(direction, Effect.NARROWER, place, what)
        elif now < then:
            yield make_change(direction, Effect.WIDER, place, what)
        elif then != now:
            yield make_change(direction, Effect.OTHER, place, what)


def compare_uniqueness(old: Form, new: Form, direction: Direction) -> Iterator[Change]:
    """Compare whether an array may contain the same item twice."""
    then, now = (any(form.get_values("uniqueItems")) for form in (old, new))
    place = find_place(new, "uniqueItems")
    if now > then:
        yield make_change(direction, Effect.NARROWER, place, "items must be unique.")
    elif then > now:
        yield make_change(direction, Effect.WIDER, place, "items need not be unique.")


def compare_openness(old: Form, new: Form, direction: Direction) -> Iterator[Change]:
    """Compare whether an object may have properties that the schema does not name."""
    then, now = is_closed(old), is_closed(new)
    place = find_place(new, "additionalProperties")
    if now > then:
        yield make_change(
            direction, Effect.NARROWER, place, "properties that are not named are rejected."
        )
    elif then > now:
        yield make_change(
            direction, Effect.WIDER, place, "properties that are not named are accepted."
        )


def is_closed(form: Form) -> bool:
    """Return whether properties that the schema does not name are rejected."""
    return False in form.get_values("additionalProperties")


def compare_discriminators(old: Form, new: Form, direction: Direction) -> Iterator[Change]:
    """Compare the property and value that distinguish a form from the others."""
    then, now = (describe_discriminator(form) for form in (old, new))
    if then != now:
        place = find_place(new, "discriminator")
        what = f"the discriminator is {now or 'nothing'}; it was {then or 'nothing'}."
        yield make_change(direction, Effect.OTHER, place, what)


def describe_discriminator(form: Form) -> str:
    """Return the text that distinguishes a form, such as `section = needs`."""
    properties = [value["propertyName"] for value in form.get_values("discriminator")]
    return " = ".join([*properties, form.key or "its name"]) if properties else ""


def compare_other_keywords(old: Form, new: Form, direction: Direction) -> Iterator[Change]:
    """Report a difference in any other keyword as breaking, because no rule compares it."""
    keywords = {
        keyword for form in (old, new) for part in form.parts for keyword in part.value
    }
    for keyword in sorted(keywords - JUDGED - WORDS):
        then, now = (
            sorted(map(encode_exactly, form.get_values(keyword))) for form in (old, new)
        )
        if then != now and not keyword.startswith("x-"):
            place = find_place(new, keyword)
            yield make_change(
                direction,
                Effect.OTHER,
                place,
                f"`{keyword}` changed, and no rule compares it.",
            )


RULES: Final[tuple[Callable[[Form, Form, Direction], Iterator[Change]], ...]] = (
    compare_enums,
    compare_vocabularies,
    compare_bounds,
    compare_texts,
    compare_uniqueness,
    compare_openness,
    compare_discriminators,
    compare_other_keywords,
)
