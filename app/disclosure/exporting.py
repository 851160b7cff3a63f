"""Export of a case in HTCDS fields, limited to the data that the caller may read now.

Each section is opened under the disclosure policy as if it were requested separately, with
its own entry in the access log. Sections without a field in the standard are not opened.
"""

from collections.abc import Mapping
from typing import Final

from app.cases import queries as case_queries
from app.cases.facts import FactName
from app.cases.models import Case
from app.cases.sections import (
    CONTENT,
    EmergencyAccessPurpose,
    Indicators,
    Section,
    SectionContent,
)
from app.casework import situation as casework_situation
from app.casework import telling
from app.disclosure.access_log import require_sign_in_for
from app.disclosure.actions import open_document
from app.disclosure.refused_openings import count_refusal
from app.disclosure.schemas import HtcdsExport
from app.kernel.actors import Scope
from app.kernel.transactions import WriteTransaction
from app.reference import htcds

PARTS: Final = frozenset(row.part for row in htcds.MAPPING)
EXPORTED: Final = tuple(section for section in Section if section in PARTS)
"""The sections that have a field in the standard."""
STATE, CLOSURE, IDENTIFICATION = "state", "closure_reason", "identification"
"""Parts of the case itself that have a field in the standard; they are not sealed."""

type Fields = dict[str, list[str]]


def export_case(
    tx: WriteTransaction, code: str, purpose: EmergencyAccessPurpose
) -> HtcdsExport:
    """Return the parts of a case that the caller may read, in HTCDS fields.

    Raises AuthenticationTooOld (401) even if the case does not exist, NotFound (404) if the
    caller may not see the case, DailyCapReached or TooManyRefusedOpenings (429), and
    DiskSpaceReserved (503) if the disk is nearly full.
    """
    require_sign_in_for(tx, frozenset(EXPORTED))
    tx.runtime.free_space.require_unreserved()
    case = case_queries.get_seen_or_led(tx, code)
    opened = {section: open_section(tx, case, section, purpose) for section in EXPORTED}
    sealed = {section: content for section, content in opened.items() if content}
    if not sealed:
        count_refusal(tx)
    fields: Fields = {}
    for section, content in sealed.items():
        fields |= htcds.build_fields(section, get_values(content))
    with_case = may_read(tx, case)
    return HtcdsExport(
        case=code,
        fields=fields | (build_case_fields(tx, case) if with_case else {}),
        opened=list(sealed),
        withheld=[section for section in EXPORTED if section not in sealed],
        with_case=with_case,
    )


def open_section(
    tx: WriteTransaction, case: Case, section: Section, purpose: EmergencyAccessPurpose
) -> SectionContent | None:
    """Open one section; return None if the opening is refused or nothing was written."""
    document = open_document(tx, case, section, purpose, counted=False)
    return (
        CONTENT.validate_json(case_queries.open_sealed(tx, document)) if document else None
    )


def get_values(content: SectionContent) -> Mapping[str, object]:
    """Return the fields of a section by name; for indicators, map each code to itself."""
    if isinstance(content, Indicators):
        return {code: code for code in (*content.codes, *content.exploitation)}
    return dict(content)


def may_read(tx: WriteTransaction, case: Case) -> bool:
    """Return whether the caller has a current relation and the scope to read the case."""
    is_party = case.is_open_to(tx.actor.focal_point_id)
    return is_party and Scope.CASES_READ in tx.actor.scopes


def build_case_fields(tx: WriteTransaction, case: Case) -> Fields:
    """Return the fields of the case itself that the caller may see."""
    [shown] = casework_situation.show_cases(tx, [case])
    state, reason = str(shown.state), shown.closure_reason
    return {
        **htcds.build_fields(STATE, {state: state}),
        **htcds.build_fields(CLOSURE, {reason: reason} if reason else {}),
        **build_status_fields(tx, case),
    }


def build_status_fields(tx: WriteTransaction, case: Case) -> Fields:
    """Return the identification status, or no field if countries or bodies disagree."""
    facts, name = telling.list_facts(tx, case), FactName.IDENTIFICATION
    last = {(f.country, f.body): f.value for f in facts if f.name == name}
    fields = htcds.build_fields(IDENTIFICATION, {value: value for value in last.values()})
    return {name: values for name, values in fields.items() if len(values) == 1}
