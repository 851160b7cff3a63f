"""Tests that every code has a text in five languages, each in the script of its language.

Only a native speaker can judge a translation, and no native speaker has reviewed these.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import pytest
from pydantic import ValidationError

from app.access.models import ApprovalState
from app.api.approvals import OTHERS
from app.cases import lifecycle as case_lifecycle
from app.cases.facts import (
    BestInterests,
    FactName,
    Guardian,
    Identification,
    LegalHold,
    ReflectionPeriod,
)
from app.cases.models import AgeClass, SafeContact
from app.cases.risk import RiskLevel
from app.cases.sections import (
    EmergencyAccessPurpose,
    ExploitationForm,
    OriginContact,
    Paper,
    PersonGender,
    Section,
)
from app.cases.stored_fields import rename_subject
from app.cases.vital_interest import EmergencyAccessState, VitalInterestReason
from app.casework.confirmations import EXECUTE
from app.casework.schemas import MissedOutcome
from app.consents.coverage import GivenBy, Purpose
from app.deadlines.limits import DeadlineKind, Priority
from app.directory.kinds import AgeGroup, OfficeFunction, OfficeKind, Sex
from app.feed.event_types import load_types
from app.handovers import lifecycle as handover_lifecycle
from app.kernel.actors import AccountKind, Relation, Role, Scope, Side
from app.kernel.languages import ENGLISH
from app.reference import htcds
from app.reference.code_words import WORD_LISTS, WORDS, describe_translation
from app.reference.kinds import TranslationStatus
from app.reference.lists import INDICATORS, TRANSLATIONS, get_status
from app.reference.rows import TRANSLATED, WordRow
from app.referrals import lifecycle as referral_lifecycle
from app.referrals.schemas import Outcome
from app.returns import lifecycle as return_lifecycle
from app.returns.risk import (
    FamilyFinding,
    Interests,
    Nationality,
    NoGoReason,
    Protection,
    Threat,
)
from app.routing.advice import ADVICE_TEXTS, Advice
from app.routing.ranking import ReasonIn, ReasonOut
from app.screening.scoring import Presumption
from tests.support.contract import load_contract
from tests.support.world import Someone, World, get_problem, unwrap

NEEDS: Final = (
    case_lifecycle.Need,
    referral_lifecycle.Need,
    handover_lifecycle.Need,
    return_lifecycle.Need,
)
CODES: Final[Mapping[str, Iterable[str]]] = {
    "case_states": case_lifecycle.State,
    "referral_states": referral_lifecycle.State,
    "handover_states": handover_lifecycle.State,
    "return_states": return_lifecycle.State,
    "stages": case_lifecycle.Stage,
    "approval_states": ApprovalState,
    "emergency_access_states": EmergencyAccessState,
    "case_actions": case_lifecycle.Action,
    "referral_actions": referral_lifecycle.Action,
    "handover_actions": handover_lifecycle.Action,
    "return_actions": return_lifecycle.Action,
    "deadlines": DeadlineKind,
    "routing_reasons": [*ReasonIn, *ReasonOut],
    "event_types": [event.name for event in load_types()],
    "sections": Section,
    "purposes": Purpose,
    "reading_purposes": EmergencyAccessPurpose,
    "remedies": sorted({str(need) for needs in NEEDS for need in needs}),
    "advice": Advice,
    "priorities": Priority,
    "age_classes": AgeClass,
    "relations": Relation,
    "sides": Side,
    "roles": Role,
    "facts": FactName,
    "vital_interest_reasons": VitalInterestReason,
    "no_go_reasons": NoGoReason,
    "referral_outcomes": Outcome,
    "office_kinds": OfficeKind,
    "office_functions": OfficeFunction,
    "genders": PersonGender,
    "exploitation_forms": ExploitationForm,
    "sexes": Sex,
    "age_groups": AgeGroup,
    "approval_actions": [*EXECUTE, *OTHERS, "account.make_key", "account.rotate_key"],
    "risk_levels": RiskLevel,
    "missed_outcomes": MissedOutcome,
    "safe_contact_answers": SafeContact,
    "consent_givers": GivenBy,
    "identification_statuses": Identification,
    "guardian_statuses": Guardian,
    "best_interests_statuses": BestInterests,
    "reflection_period_statuses": ReflectionPeriod,
    "origin_contact_answers": OriginContact,
    "legal_holds": LegalHold,
    "presumptions": Presumption,
    "indicator_groups": dict.fromkeys(str(row.group) for row in INDICATORS.values()),
    "sealed_documents": [rename_subject(paper) for paper in Paper],
    "account_kinds": AccountKind,
    "nationalities": Nationality,
    "return_threats": Threat,
    "family_findings": FamilyFinding,
    "best_interests_results": Interests,
    "return_protections": Protection,
}
STANDARD: Final = {"prs_Gender": PersonGender, "vic_TypeOfExploitation": ExploitationForm}
"""Lists of the HTCDS whose codes the service stores."""
LANGUAGES: Final = ("ru", "es", "fr", "uz")
LETTERS: Final = {
    "en": r"[A-Za-z]",
    "ru": r"[А-ЯЁа-яё]",
    "es": r"[A-Za-zÁÉÍÑÓÚÜáéíñóúü]",
    "fr": r"[A-Za-zÀÂÇÈÉÊËÎÏÔŒÙÛÜàâçèéêëîïôœùûü]",
    "uz": r"[A-Za-zʻʼ]",
}
MARKS: Final = " .,:;()/’—-0123456789"
NAMES: Final = re.compile(r"\bAPI\b")
"""A name that stays in Latin letters in every language."""
ALIKE: Final = {"ru": set(), "uz": {"Administrator"}}
"""For Russian and Uzbek, the texts that are spelled like the English text."""
TERMS: Final = {
    r"\bthe case\b": (r"\bдел[оаую]", r"\bcaso", r"\bcas\b", r"\bish"),
    r"\breferrals?\b": (r"направлени", r"remisi", r"orientation", r"yoʻllanma|yoʻnalt"),
    r"\bconsent": (r"соглас", r"consentimiento", r"consentement", r"rozili"),
    r"\bapproval": (r"одобрен", r"aprobación", r"approbation", r"maʼqulla"),
    r"\bemergency access": (
        r"экстренн\w+ доступ",
        r"acceso de emergencia",
        r"accès d’urgence",
        r"favqulodda kirish",
    ),
    r"\bdesk\b": (r"дежурн\w+ пункт", r"\bmesa\b", r"\bbureau\b", r"navbatchi punkt"),
    r"\bsummary": (r"сводк", r"resumen", r"résumé", r"qisqa maʼlumot"),
    r"\bsections?\b": (r"раздел", r"secci", r"section", r"boʻlim"),
    r"\blegal hold": (
        r"запрет\w*( на стирание)?",
        r"retención legal",
        r"conservation légale",
        r"qonuniy saqlash",
    ),
    r"\bthe person\b(?! who)": (r"челове", r"persona", r"personne", r"shaxs"),
    r"\bbest interests": (
        r"наилучши",
        r"interés superior",
        r"intérêt supérieur",
        r"eng yaxshi manfaat",
    ),
}
"""Each term of the mechanism: a pattern of the English word, and one for each language."""
ALL: Final = [(row, language) for row in WORDS.values() for language in LANGUAGES]


def find_words(language: str) -> list[str]:
    return [row.texts[language] for row in WORDS.values()]


@pytest.mark.parametrize("name", CODES)
def test_each_code_has_words_and_no_other_code_has(name: str) -> None:
    assert [code for listed, code in WORDS if listed == name] == list(map(str, CODES[name]))


def test_each_list_of_words_is_compared_with_its_codes() -> None:
    assert list(WORD_LISTS) == list(CODES)
    assert {listed for listed, _ in WORDS} == set(CODES)


def test_requirements_and_types_of_the_contract_have_words() -> None:
    schemas = load_contract()["components"]["schemas"]

    for schema, name in (("AnyRequirement", "remedies"), ("AnyEventType", "event_types")):
        listed = {code for where, code in WORDS if where == name}
        assert set(schemas[schema]["x-extensible-enum"]) == listed


@pytest.mark.parametrize("language", [ENGLISH, *LANGUAGES])
def test_words_have_the_letters_of_their_language_alone(language: str) -> None:
    allowed = re.compile(rf"(?:{LETTERS[language]}|[{re.escape(MARKS)}])+")
    words = {one: NAMES.sub("", one) for one in find_words(language)}

    assert [one for one, rest in words.items() if not allowed.fullmatch(rest)] == []
    assert all(re.search(LETTERS[language], one) for one in words)


def test_uzbek_words_have_their_own_apostrophes() -> None:
    words = find_words("uz")

    assert [one for one in words if re.search(r"(?<![OoGg])ʻ|[OoGg]ʼ|\bʼ", one)] == []
    assert sum("ʻ" in one for one in words) > len(words) / 4


@pytest.mark.parametrize("language", ALIKE)
def test_words_are_not_the_english_words(language: str) -> None:
    same = {row.texts[language] for row in WORDS.values() if row.en == row.texts[language]}

    assert same == ALIKE[language]


def test_spanish_and_french_words_are_seldom_the_english_words() -> None:
    for language in ("es", "fr"):
        same = [row for row in WORDS.values() if row.en == row.texts[language]]
        assert len(same) < len(WORDS) / 20


def test_words_have_the_form_of_their_english() -> None:
    for row, language in ALL:
        word = row.texts[language]
        assert word == " ".join(word.split()), word
        assert word[0].isupper(), word
        assert word.endswith(".") == row.en.endswith("."), word
        assert "?" not in word, word
        assert len(row.en) / 2 - 6 <= len(word) <= 2 * len(row.en) + 20, word
        assert re.findall(r"\d+", word) == re.findall(r"\d+", row.en), word


@pytest.mark.parametrize("term", TERMS)
def test_term_is_one_word_in_each_language(term: str) -> None:
    used = [row for row in WORDS.values() if re.search(term, row.en, re.IGNORECASE)]

    assert len(used) > 2
    for row in used:
        for language, stem in zip(LANGUAGES, TERMS[term], strict=True):
            assert re.search(stem, row.texts[language], re.IGNORECASE), (row.code, stem)


def test_words_tell_the_codes_of_a_list_apart() -> None:
    for name in CODES:
        for language in (ENGLISH, *LANGUAGES):
            words = [row.texts[language] for row in WORDS.values() if row.list == name]
            assert len(set(words)) == len(words), (name, language)


def test_services_as_purposes_have_the_words_of_the_services() -> None:
    for code in set(Purpose) - {Purpose.REFER, Purpose.HANDOVER}:
        purpose, service = WORDS["purposes", code], TRANSLATIONS["services", code]
        assert purpose.texts == {tag: service.texts[tag] for tag in purpose.texts}
        assert purpose.reviewed == service.reviewed


def test_words_of_advice_say_no_less_than_the_advice() -> None:
    for advice, says in ADVICE_TEXTS.items():
        words = WORDS["advice", advice].en
        named = {
            word for word in ("police", "criminal", "child", "directory") if word in says
        }
        assert named == {word for word in named if word in words}


@pytest.mark.parametrize("name", CODES)
def test_words_are_served_in_every_language_as_unreviewed(
    officer: Someone, name: str
) -> None:
    answer = officer.ask("GET", f"/reference/{name}", headers={"Accept-Language": "ru"})

    for item in unwrap(answer)["items"]:
        row = WORDS[name, item["code"]]
        assert set(item["labels"]) == {ENGLISH, *TRANSLATED}
        assert item["labels"] == row.texts
        assert (item["label"], item["language"]) == (row.ru, "ru")
        assert item["translation_status"] == "unreviewed"
        assert "not reviewed" in item["translation"]
    assert answer.headers["Content-Language"] == "ru"
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_words_that_are_known_are_not_sent_again(officer: Someone) -> None:
    path = "/reference/event_types"
    tag = officer.get(path).headers["ETag"]
    other = officer.ask("GET", path, headers={"Accept-Language": "uz"}).headers["ETag"]

    again = officer.ask("GET", path, headers={"If-None-Match": tag})

    assert (again.status_code, again.content) == (304, b"")
    assert tag != other


def test_words_need_the_scope_of_the_directory(world: World) -> None:
    scopes = set(Scope) - {Scope.DIRECTORY_READ}
    other = world.add_person("KZ_LEAD", scopes=scopes)

    assert get_problem(other.get("/reference/sections")) == (403, "forbidden")


def build_row(reviewed: str) -> WordRow:
    """Return a row of words with the given languages as reviewed."""
    cells = {"list": "roles", "code": "any", "reviewed": reviewed}
    return WordRow.model_validate(dict.fromkeys((ENGLISH, *TRANSLATED), "Word") | cells)


def test_word_is_reviewed_in_the_languages_of_its_row() -> None:
    row = build_row("ru uz")

    statuses = {language: get_status([row], language) for language in TRANSLATED}

    assert {tag for tag, one in statuses.items() if one == TranslationStatus.REVIEWED} == {
        "ru",
        "uz",
    }
    assert describe_translation(row).endswith("reviewed: ru, uz")


@pytest.mark.parametrize("reviewed", ["en", "kk", "ru ru", "russian"])
def test_word_cannot_be_reviewed_in_another_language(reviewed: str) -> None:
    with pytest.raises(ValidationError):
        build_row(reviewed)


@pytest.mark.parametrize("language", sorted({ENGLISH, *TRANSLATED}))
def test_word_cannot_be_missing(language: str) -> None:
    cells = build_row("").model_dump(exclude={"reviewed"}) | {"reviewed": "", language: ""}

    with pytest.raises(ValidationError):
        WordRow.model_validate(cells)


def test_nobody_is_reviewed_yet() -> None:
    """No text is reviewed in any language, as the documents and the changelog say."""
    assert {tag for row in WORDS.values() for tag in row.reviewed} == set()


@pytest.mark.parametrize("name", STANDARD)
def test_codes_of_the_standard_are_stored_as_they_are(name: str) -> None:
    codes = [row.code_clean for row in htcds.CODES if row.list == name]

    assert [str(code) for code in STANDARD[name]] == codes
