"""An HTCDS export contains the sections that its reader may open, and is logged."""

from dataclasses import replace

import pytest

from app.cases.facts import Identification
from app.cases.lifecycle import State
from app.cases.reasons import ClosureReason
from app.cases.sections import ExploitationForm, Identity, Narrative
from app.kernel.actors import Role, Scope
from app.reference import htcds
from app.reference.lists import INDICATORS
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    make_acceptance,
    make_closure,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)
from tests.sweeps.matrix import reading
from tests.sweeps.matrix.stages import OF_CASES

SECTIONS: dict[str, Json] = {
    "identity": {
        "section": "identity",
        "names": ["canary-name"],
        "birth_date": "1990-02-03",
        "nationality": "UZ",
        "documents": ["canary-passport"],
    },
    "narrative": {"section": "narrative", "text": "canary-narrative"},
    "indicators": {
        "section": "indicators",
        "codes": [
            "EXPLOITATION_02",
            "COERCION_DESTINATION_02",
            "ILO11_09",
            "UNODC_RESTRICTED_MOVEMENT_DOCUMENTS_02",
        ],
        "exploitation": ["ForcedLabour", "Servitude"],
        "remarks": "canary-remarks",
    },
}
OTHERS: list[Json] = [
    {"section": "needs", "summary": "canary-needs"},
    {"section": "contact", "alias": "canary-alias", "safe_channel": "Signal"},
    {"section": "perpetrators", "text": "canary-perpetrators"},
    {"section": "health", "text": "canary-health"},
]
TOLD: dict[str, Json] = {
    "identity": {"prs_Birthdate": ["1990-02-03"], "prs_Citizenship": ["UZ"]},
    "narrative": {"hte_Description": ["canary-narrative"]},
    "indicators": {
        "vic_MethodsOfControl": ["DebtBondage ", "WithholdsDocuments"],
        "vic_TypeOfExploitation": ["ForcedLabour", "Servitude"],
    },
}
OF_THE_CASE = {"cas_Status", "vic_TraffickingStatus"}
ALL = list(SECTIONS)


def export_htcds(who: Someone, case: Json) -> Json:
    return unwrap(who.open(f"{get_path(case)}/export/htcds"))


def get_sealed_fields(exported: Json) -> Json:
    return {n: v for n, v in exported["fields"].items() if n not in OF_THE_CASE}


def list_access_log(world: World, case: Json) -> list[tuple[str, str, bool]]:
    items = world.add_person("OVERSIGHT_DEMO").get(f"{get_path(case)}/access-log?limit=200")
    return [
        (one["focal_point"], one["subject"], one["allowed"])
        for one in unwrap(items)["items"]
    ]


def draft_case(officer: Someone) -> Json:
    sections = [*SECTIONS.values(), *OTHERS]
    named = [one["section"] for one in sections]
    given = [make_consent(sections=named), make_service_consent(sections=named)]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    body = {"sections": sections, "consents": given, "safeguards": guards}
    return unwrap(officer.create_case(**body))


@pytest.fixture
def case(officer: Someone) -> Json:
    return draft_case(officer)


def lead_case(case: Json, officer: Someone, lead: Someone) -> None:
    unwrap(officer.does("submit", case))
    unwrap(lead.does("acknowledge", case))
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))


def check_export(case: Json, who: Someone, sections: list[str]) -> None:
    """Check that an export contains exactly these sections, which the reader can open."""
    exported = export_htcds(who, case)
    opened = {
        name: who.open(f"{get_path(case)}/sections/{name}").is_success for name in SECTIONS
    }

    assert exported["opened"] == sections == [name for name in SECTIONS if opened[name]]
    assert exported["withheld"] == [name for name in SECTIONS if not opened[name]]
    content = {field: values for name in sections for field, values in TOLD[name].items()}
    assert get_sealed_fields(exported) == content


def test_at_each_step_each_party_is_told_what_it_may_open(
    world: World, case: Json, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO")
    check_export(case, officer, ALL)

    unwrap(officer.does("submit", case))
    check_export(case, officer, ALL)
    check_export(case, lead, [])
    unwrap(lead.does("acknowledge", case))
    check_export(case, lead, [])
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    check_export(case, lead, ALL)
    check_export(case, watcher, [])

    sent = unwrap(lead.refer(case, shelter.code, sections=["needs", "indicators"]))
    check_export(case, shelter, [])
    unwrap(shelter.does("acknowledge", sent))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    check_export(case, shelter, ["indicators"])


def test_of_other_sections_nothing_is_opened_and_no_name_is_told(
    case: Json, officer: Someone, world: World
) -> None:
    unwrap(officer.does("submit", case))

    answer = officer.open(f"{get_path(case)}/export/htcds")

    assert "canary-narrative" in answer.text
    assert answer.text.count("canary") == 1
    assert [subject for _, subject, _ in list_access_log(world, case)] == ALL


def test_each_section_that_is_exported_or_refused_is_entered(
    world: World, case: Json, officer: Someone, lead: Someone
) -> None:
    lead_case(case, officer, lead)

    export_htcds(lead, case)
    export_htcds(world.add_person("OVERSIGHT_DEMO"), case)

    assert list_access_log(world, case) == [
        *(("KZ_LEAD", name, True) for name in ALL),
        *(("OVERSIGHT_DEMO", name, False) for name in ALL),
    ]


def test_in_an_emergency_an_export_tells_what_was_named_for_its_purpose_alone(
    world: World, case: Json, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    lead_case(case, officer, lead)
    sent = unwrap(lead.refer(case, shelter.code, sections=["needs"]))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    body = {"reason": "RISK_TO_LIFE", "note": "No answer", "sections": ["narrative"]}
    path = f"{get_path(case)}/emergency-access"
    access = unwrap(shelter.create(path, body | {"purpose": "protection"}))
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    unwrap(watcher.send(f"{path}/{access['id']}/grant"))

    exported = unwrap(shelter.open(f"{get_path(case)}/export/htcds", "protection"))

    assert (exported["opened"], get_sealed_fields(exported)) == (
        ["narrative"],
        TOLD["narrative"],
    )
    assert export_htcds(shelter, case)["opened"] == []


def test_a_purpose_has_to_be_said(case: Json, officer: Someone) -> None:
    path = f"{get_path(case)}/export/htcds"

    assert get_problem(officer.get(path)) == (422, "request-invalid")


def test_a_stranger_is_told_nothing_and_leaves_nothing(
    case: Json, officer: Someone, lead: Someone, world: World
) -> None:
    lead_case(case, officer, lead)
    stranger = world.add_person("KZ_SHELTER_TANSHOLPAN")

    assert get_problem(stranger.open(f"{get_path(case)}/export/htcds")) == (
        404,
        "not-found",
    )
    assert list_access_log(world, case) == []


def test_an_export_counts_as_one_case_of_those_a_day(
    world: World, officer: Someone
) -> None:
    first, second = draft_case(officer), draft_case(officer)
    before = world.runtime
    world.runtime = world.app.state.runtime = replace(before, daily_cap=1)

    assert export_htcds(officer, first)["opened"] == ALL
    refused = officer.open(f"{get_path(second)}/export/htcds")

    world.app.state.runtime = before
    assert get_problem(refused) == (429, "daily-cap-reached")
    assert "canary" not in refused.text


def test_who_may_not_read_cases_is_told_what_is_sealed_alone(
    world: World, case: Json, officer: Someone
) -> None:
    unwrap(officer.does("submit", case))
    other = world.add_person(officer.code, scopes={Scope.SECTIONS_READ})

    whole, sealed = export_htcds(officer, case), export_htcds(other, case)

    assert (whole["with_case"], sealed["with_case"]) == (True, False)
    assert "cas_Status" not in sealed["fields"]
    assert whole["fields"] == sealed["fields"] | {"cas_Status": ["Active"]}


def test_who_led_and_only_remembers_the_case_is_told_nothing_of_it_as_it_is_now(
    officer: Someone, lead: Someone, world: World
) -> None:
    successor = world.add_person("UZ_LEAD")
    given = [
        make_consent(sections=ALL),
        make_service_consent(),
        make_handover_consent("UZ_LEAD", sections=ALL),
    ]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = lead.take_lead(officer.submit(consents=given, safeguards=guards))
    offered = unwrap(lead.offer(case, successor.code))
    assert export_htcds(lead, case)["with_case"]

    unwrap(successor.does("accept", offered, make_takeover()))

    export = export_htcds(lead, case)
    assert (export["with_case"], export["fields"], export["opened"]) == (False, {}, [])
    assert export_htcds(successor, case)["fields"]["cas_Status"] == ["Active"]


def test_what_is_known_of_the_case_is_told_in_codes_of_the_standard(
    world: World, case: Json, officer: Someone, lead: Someone
) -> None:
    def get_case_fields() -> Json:
        fields = export_htcds(lead, case)["fields"]
        return {name: fields[name] for name in OF_THE_CASE & fields.keys()}

    def record_identification(country: str, value: str, **more: str) -> None:
        fact = {"name": "identification", "value": value, "country": country} | more
        unwrap(lead.create(f"{get_path(case)}/facts", fact))

    lead_case(case, officer, lead)
    assert get_case_fields() == {"cas_Status": ["Active"]}

    record_identification("KZ", "not_assessed")
    assert get_case_fields() == {"cas_Status": ["Active"]}
    record_identification("KZ", "presumed")
    assert get_case_fields()["vic_TraffickingStatus"] == ["PossibleVictimOfTrafficking"]
    record_identification("KZ", "formally_identified")
    assert get_case_fields()["vic_TraffickingStatus"] == ["ActualVictimOfTrafficking"]
    record_identification("KZ", "presumed", body="IOM")
    assert "vic_TraffickingStatus" not in get_case_fields()
    record_identification("KZ", "formally_identified", body="IOM")
    assert get_case_fields()["vic_TraffickingStatus"] == ["ActualVictimOfTrafficking"]
    record_identification("UZ", "presumed")
    assert "vic_TraffickingStatus" not in get_case_fields()

    second = world.add_person(lead.code, {Role.SUPERVISOR})
    unwrap(lead.does_with(second, "close", case, make_closure(reason="TRANSFERRED")))
    assert export_htcds(lead, case)["fields"] == {"cas_Status": ["ClosedReferred"]}


def test_each_mapping_is_of_a_field_and_a_code_that_there_are_and_has_a_source() -> None:
    ours: dict[str, set[str]] = {
        "identity": set(Identity.model_fields),
        "narrative": set(Narrative.model_fields),
        "indicators": {*INDICATORS, *ExploitationForm},
        "state": set(State),
        "closure_reason": set(ClosureReason),
        "identification": set(Identification),
    }
    listed = {(row.list, row.code_clean): row for row in htcds.CODES}

    for row in htcds.MAPPING:
        assert row.ours in ours[row.part], row
        assert htcds.FIELDS[row.field].status == "DRAFT"
        assert row.source
        if row.theirs:
            assert "ODS" in listed[row.field, row.theirs].source, row
        else:
            assert (row.field, "x") not in listed
            assert htcds.FIELDS[row.field].full_name == row.field


@pytest.mark.parametrize("stage", OF_CASES)
def test_no_kind_of_party_is_promised_more_by_an_export_than_by_its_sections(
    stage: str,
) -> None:
    table = reading.table("answers_of_cases")
    rows = [row for row in table.rows if row.operation == "open_section.narrative"]
    people = {name for row in rows for names, _ in row.answers for name in names}

    for who in people:
        exported = table.verdict("export_case", stage, who)
        opened = {
            name: table.verdict(f"open_section.{name}", stage, who) for name in SECTIONS
        }
        allowed = {name for name, verdict in opened.items() if verdict.status == 200}
        assert exported.sees <= allowed
        assert exported.entries == sum(one.entries for one in opened.values())
