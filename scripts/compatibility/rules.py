"""What a schema asks of a value, keyword by keyword, now and before."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from compatibility.changes import Change, Effect, Way, adds, told
from compatibility.forms import COMPOSING, Form, allowed, exact
from compatibility.places import Place

WORDS: Final = frozenset(
    {
        *("title", "description", "summary", "example", "examples", "externalDocs"),
        *("$comment", "default", "deprecated"),
    }
)
"""What is for readers. Of `default`, fields and parameters are judged."""
KNOWN: Final = "x-extensible-enum"
NONE: Final = float("-inf")
BOUNDS: Final = (
    *((("minLength",), 1, 0), (("minItems",), 1, 0), (("minProperties",), 1, 0)),
    *(
        (("maxLength",), -1, NONE),
        (("maxItems",), -1, NONE),
        (("maxProperties",), -1, NONE),
    ),
    (("minimum", "exclusiveMinimum"), 1, NONE),
    (("maximum", "exclusiveMaximum"), -1, NONE),
)
"""Keywords that bound the same, the stricter last; 1 from below, -1 from above; none."""
TEXTS: Final = ("format", "pattern")
JUDGED: Final = COMPOSING | {
    *(keyword for keywords, *_ in BOUNDS for keyword in keywords),
    *TEXTS,
    *("type", "enum", "const", "uniqueItems", "items"),
    *("properties", "required", "additionalProperties", "contentSchema"),
}
CLOSED: Final = (
    "An enum is closed: a vocabulary that grows is a string, with x-extensible-enum."
)


def standing(form: Form, *keywords: str) -> Place:
    """Say where one of these keywords stands, or where all of them are missed."""
    found = [place for keyword in keywords for place in form.having(keyword)]
    return [*found, form.parts[-1]][0]


def asks(form: Form) -> bool:
    """Say whether it asks anything of a value."""
    keywords = {keyword for part in form.parts for keyword in part.value}
    return any(not keyword.startswith("x-") for keyword in keywords - WORDS - COMPOSING)


def enums(old: Form, new: Form, way: Way) -> Iterator[Change]:
    """Compare the values that are listed."""
    then, now = allowed(old), allowed(new)
    place = standing(new, "enum", "const")
    if then is None or now is None:
        if now is not None:
            yield told(way, Effect.NARROWER, place, f"it can be {spelled(now)} only.")
        if then is not None:
            yield told(way, Effect.WIDER, place, f"it can be more than {spelled(then)}.")
        return
    if lost := missing(then, now):
        yield told(way, Effect.NARROWER, place, f"it cannot be {spelled(lost)} any more.")
    if gained := missing(now, then):
        closed_now = f" {CLOSED}" if way is Way.READ else ""
        yield told(way, Effect.WIDER, place, f"it can be {spelled(gained)}.{closed_now}")


def vocabularies(old: Form, new: Form, way: Way) -> Iterator[Change]:
    """Compare lists of which everybody knows that they grow."""
    then, now = (
        [word for words in form.values(KNOWN) for word in words] for form in (old, new)
    )
    place = standing(new, KNOWN)
    if then and not now:
        yield adds(standing(old, KNOWN), f"{way}: which values are known is told no more.")
    if now and (lost := missing(then, now)):
        yield told(way, Effect.NARROWER, place, f"{spelled(lost)} is not known any more.")
    if gained := missing(now, then):
        yield adds(place, f"{way}: {spelled(gained)} is known too.")


def missing(some: list[Any], others: list[Any]) -> list[Any]:
    """List what is in the first list and not in the second."""
    known = set(map(exact, others))
    return [value for value in some if exact(value) not in known]


def spelled(values: list[Any]) -> str:
    """Write values as they stand in JSON."""
    return ", ".join(map(exact, values))


def bounds(old: Form, new: Form, way: Way) -> Iterator[Change]:
    """Compare how little is enough, and how much is too much."""
    for keywords, sign, none in BOUNDS:
        then, now = (nearest(form, keywords, sign, none) for form in (old, new))
        if then != now:
            effect = Effect.NARROWER if now > then else Effect.WIDER
            is_now, was = (written(bound, keywords, sign) for bound in (now, then))
            place = standing(new, *keywords)
            yield told(way, effect, place, f"the bound is {is_now}; it was {was}.")


def nearest(
    form: Form, keywords: tuple[str, ...], sign: int, none: float
) -> tuple[float, int]:
    """Find the bound that lets the least pass; the greater, the less."""
    found = [
        (sign * value, strictness)
        for strictness, keyword in enumerate(keywords)
        for value in form.values(keyword)
    ]
    return max(found, default=(none, 0))


def written(bound: tuple[float, int], keywords: tuple[str, ...], sign: int) -> str:
    """Write a bound as it stands in a schema."""
    value, strictness = bound
    return "none" if value == NONE else f"{keywords[strictness]} {sign * value}"


def texts(old: Form, new: Form, way: Way) -> Iterator[Change]:
    """Compare formats and patterns; whether another one lets more pass, nobody can tell."""
    for keyword in TEXTS:
        then, now = (set(form.values(keyword)) for form in (old, new))
        place = standing(new, keyword)
        is_now, was = (spelled(sorted(texts)) or "none" for texts in (now, then))
        what = f"{keyword} is {is_now}; it was {was}."
        if then < now:
            yield told(way, Effect.NARROWER, place, what)
        elif now < then:
            yield told(way, Effect.WIDER, place, what)
        elif then != now:
            yield told(way, Effect.OTHER, place, what)


def uniqueness(old: Form, new: Form, way: Way) -> Iterator[Change]:
    """Compare whether an entry may stand in a list twice."""
    then, now = (any(form.values("uniqueItems")) for form in (old, new))
    place = standing(new, "uniqueItems")
    if now > then:
        yield told(way, Effect.NARROWER, place, "no entry may be there twice.")
    elif then > now:
        yield told(way, Effect.WIDER, place, "an entry may be there twice.")


def openness(old: Form, new: Form, way: Way) -> Iterator[Change]:
    """Compare whether there may be properties that the schema does not name."""
    then, now = closed(old), closed(new)
    place = standing(new, "additionalProperties")
    if now > then:
        yield told(
            way, Effect.NARROWER, place, "properties that are not named may not be there."
        )
    elif then > now:
        yield told(way, Effect.WIDER, place, "properties that are not named may be there.")


def closed(form: Form) -> bool:
    """Say whether a property that is not named may not be there."""
    return False in form.values("additionalProperties")


def discriminators(old: Form, new: Form, way: Way) -> Iterator[Change]:
    """Compare by which value of which property a form is told from the others."""
    then, now = (telling(form) for form in (old, new))
    if then != now:
        place = standing(new, "discriminator")
        what = f"it is told by {now or 'nothing'}; it was by {then or 'nothing'}."
        yield told(way, Effect.OTHER, place, what)


def telling(form: Form) -> str:
    """Write what tells a form from the others: `section = needs`."""
    properties = [value["propertyName"] for value in form.values("discriminator")]
    return " = ".join([*properties, form.key or "its name"]) if properties else ""


def the_rest(old: Form, new: Form, way: Way) -> Iterator[Change]:
    """Refuse a difference in what no rule here judges: it may well break somebody."""
    keywords = {
        keyword for form in (old, new) for part in form.parts for keyword in part.value
    }
    for keyword in sorted(keywords - JUDGED - WORDS):
        then, now = (sorted(map(exact, form.values(keyword))) for form in (old, new))
        if then != now and not keyword.startswith("x-"):
            place = standing(new, keyword)
            yield told(
                way,
                Effect.OTHER,
                place,
                f"{keyword} changed, which this check cannot judge.",
            )


RULES: Final[tuple[Callable[[Form, Form, Way], Iterator[Change]], ...]] = (
    *(enums, vocabularies, bounds, texts, uniqueness, openness, discriminators, the_rest),
)
