"""Code lists name their sources, and their codes are accepted as input."""

import pytest

from app.cases.reasons import (
    AssignReason,
    ClosureReason,
    DeclineReason,
    ErasureReason,
    ReopenReason,
    StopReason,
    SuspendReason,
    TakeOverReason,
    WithdrawReason,
)
from app.directory.kinds import Service
from app.handovers.schemas import HandoverReason
from app.kernel.actors import Scope
from tests.support.world import Json, Someone, World, get_problem, unwrap

NAMES = """
intake_ways questions conduct indicators dimensions elements scoring_rules services
decline_reasons withdraw_reasons closure_reasons suspend_reasons handover_reasons
stop_reasons reopen_reasons assign_reasons take_over_reasons erasure_reasons case_states
referral_states handover_states return_states stages approval_states
emergency_access_states case_actions referral_actions handover_actions return_actions
deadlines routing_reasons event_types sections purposes reading_purposes remedies advice
priorities age_classes relations sides roles facts vital_interest_reasons no_go_reasons
referral_outcomes office_kinds office_functions genders exploitation_forms sexes
age_groups approval_actions
risk_levels missed_outcomes safe_contact_answers consent_givers identification_statuses
guardian_statuses best_interests_statuses reflection_period_statuses
origin_contact_answers legal_holds presumptions indicator_groups sealed_documents
account_kinds nationalities return_threats family_findings best_interests_results
return_protections countries languages org_Type prs_Gender prs_MaritalStatus
prs_HighestLevelOfEducation vic_TraffickingStatus vic_TraffickingStatusDecisionMakingOrg
vic_RelationshipToTrafficker vic_RecruitmentWebsitesAndApps vic_MethodOfRecruitment
vic_MethodsOfControl vic_TypeOfExploitation vic_ForcedLabourIndustry
vic_TypeOfSexExploitation vic_ExploitationWebsitesAndApps vic_Vulnerabilities
per_RoleInProcess cas_Status cas_ReasonForIncomingReferral cas_ReasonForOutgoingReferral
hte_Type spl_Type htcds_fields htcds_definitions htcds_migration_status
"""

COUNTS = {
    "intake_ways": 4,
    "indicators": 67 + 23 + 11,
    "dimensions": 6,
    "elements": 5 + 8 + 7,
    "services": 17,
    "countries": 249,
    "vic_MethodsOfControl": 16 + 2,
    "htcds_fields": 84,
    "htcds_definitions": 17 + 3,
    "htcds_migration_status": 18,
}


def load_list(who: Someone, name: str) -> Json:
    return unwrap(who.get(f"/reference/{name}"))


def list_codes(who: Someone, name: str, group: str | None = None) -> list[str]:
    items = load_list(who, name)["items"]
    return [item["code"] for item in items if group in {None, item["group"]}]


def test_the_lists_are_listed_and_each_can_be_read(officer: Someone) -> None:
    items = unwrap(officer.get("/reference"))["items"]

    assert [item["name"] for item in items] == NAMES.split()
    for item in items:
        whole = load_list(officer, item["name"])
        assert {name: whole[name] for name in item} == item
        assert whole["title"]
        assert whole["note"]
        assert whole["items"]


@pytest.mark.parametrize("name", NAMES.split())
def test_each_item_has_a_label_and_says_how_well_it_is_sourced(
    name: str, officer: Someone
) -> None:
    items = load_list(officer, name)["items"]

    assert len({item["code"] for item in items}) == len(items)
    assert len(items) == COUNTS.get(name, len(items))
    for item in items:
        assert all(text.strip() for text in item["labels"].values())
        assert item["label"] == item["labels"]["en"]
        assert item["language"] == "en"
        assert item["confidence"]
        assert (len(item["labels"]) > 1) == (item["translation"] is not None)
        assert item["source"] or item["confidence"] == "proposal"


@pytest.mark.parametrize("name", ["nothing", "INDICATORS", "..%2Findicators", "a" * 40])
def test_an_unknown_list_is_not_there(name: str, officer: Someone) -> None:
    refused = officer.get(f"/reference/{name}")

    assert refused.status_code == 404
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert "INDICATORS" not in refused.text


def test_lists_are_for_who_may_read_the_directory(world: World) -> None:
    other = world.add_person("KZ_LEAD", scopes=set(Scope) - {Scope.DIRECTORY_READ})

    for path in ("/reference", "/reference/indicators"):
        assert get_problem(other.get(path)) == (403, "forbidden")
        assert world.http.get(f"/v1{path}").status_code == 401


def test_a_list_that_is_known_is_not_sent_again(officer: Someone) -> None:
    for path in ("/reference", "/reference/questions", "/reference/countries"):
        tag = officer.get(path).headers["ETag"]
        again = officer.ask("GET", path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["Cache-Control"] == "private, no-cache"


def test_a_consulate_learns_of_a_case_in_four_ways(officer: Someone) -> None:
    assert list_codes(officer, "intake_ways") == [
        "VICTIM_OR_RELATIVES",
        "LOCAL_AUTHORITIES",
        "CIVIL_SOCIETY",
        "DOCUMENT_OR_VISA_APPLICATION",
    ]


def test_what_is_asked_and_what_is_not_is_only_what_a_source_says(officer: Someone) -> None:
    questions, done_ = (
        load_list(officer, "questions")["items"],
        load_list(officer, "conduct")["items"],
    )

    assert {item["group"] for item in questions} == {
        "BEFORE",
        "MUST_ASK",
        "MAY_ASK",
        "DO_NOT_ASK",
    }
    assert {item["group"] for item in done_} == {"DO", "NEVER"}
    assert all(item["source"].startswith("http") for item in [*questions, *done_])
    assert list_codes(officer, "questions", "MUST_ASK") == [
        "URGENT_MEDICAL_NEEDS",
        "THREAT_OF_VIOLENCE",
    ]
    assert "THE_TRAFFICKING_ITSELF" in list_codes(officer, "questions", "DO_NOT_ASK")
    assert "CONSULATE_OF_AN_ASYLUM_SEEKER" in list_codes(officer, "conduct", "NEVER")


def test_an_indicator_says_what_it_weighs_or_that_it_does_not_count(
    officer: Someone,
) -> None:
    items = {item["code"]: item for item in load_list(officer, "indicators")["items"]}

    assert items["EXPLOITATION_08"]["weights"] == {"adult": "M", "child": None}
    assert items["EXPLOITATION_09"]["weights"] == {"adult": "W", "child": "M"}
    assert items["EXPLOITATION_09"]["element"] == "PURPOSE"
    assert items["EXPLOITATION_09"]["group"] == "EXPLOITATION"
    assert sum(item["weights"] is not None for item in items.values()) == 67
    assert (items["ILO11_09"]["weights"], items["ILO11_09"]["element"]) == (None, None)


def test_every_code_that_is_served_is_taken(officer: Someone) -> None:
    ticked = {
        "indicators": list_codes(officer, "indicators"),
        "acts": list_codes(officer, "elements", "ACT"),
        "means": list_codes(officer, "elements", "MEANS"),
        "purposes": list_codes(officer, "elements", "PURPOSE"),
    }

    result = unwrap(officer.send("/screenings", ticked))

    assert result["outcome"] == "indicated"
    assert len(result["unweighted"]) == 23 + 11
    assert {d["dimension"] for d in result["dimensions"]} == {
        *list_codes(officer, "dimensions")
    }


def test_the_reasons_and_services_are_those_that_requests_may_name(
    officer: Someone,
) -> None:
    assert list_codes(officer, "services") == list(Service)
    assert list_codes(officer, "decline_reasons") == list(DeclineReason)
    assert list_codes(officer, "withdraw_reasons") == list(WithdrawReason)
    assert list_codes(officer, "closure_reasons") == list(ClosureReason)
    assert list_codes(officer, "suspend_reasons") == list(SuspendReason)
    assert list_codes(officer, "handover_reasons") == list(HandoverReason)
    assert list_codes(officer, "stop_reasons") == list(StopReason)
    assert list_codes(officer, "reopen_reasons") == list(ReopenReason)
    assert list_codes(officer, "assign_reasons") == list(AssignReason)
    assert list_codes(officer, "take_over_reasons") == list(TakeOverReason)
    assert list_codes(officer, "erasure_reasons") == list(ErasureReason)


def test_no_gap_of_the_research_is_served_as_a_fact(officer: Someone) -> None:
    texts = [officer.get(f"/reference/{name}").text for name in NAMES.split()]

    assert "NOT FOUND" not in "".join(texts)
    assert "not a victim" not in texts[NAMES.split().index("scoring_rules")].lower()


def test_what_the_htcds_spells_wrong_is_told_and_kept_as_it_is(officer: Someone) -> None:
    controls = {i["code"]: i for i in load_list(officer, "vic_MethodsOfControl")["items"]}
    related = {
        i["code"]: i for i in load_list(officer, "vic_RelationshipToTrafficker")["items"]
    }

    assert controls["DebtBondage"]["verbatim"] == "DebtBondage "
    assert controls["DebtBondage"]["issue"] == "trailing/leading space in code"
    assert related["Unaquainted"]["issue"].startswith("misspelt in the standard")
    assert controls["WithholdsDocuments"]["issue"] is None
    added = [code for code in controls if controls[code]["verbatim"].startswith("Methods")]
    assert added == ["RestrictsMovement", "UsesChildren"]
    assert all("definitions" in controls[code]["issue"] for code in added)
    family = load_list(officer, "htcds_migration_status")["items"][0]
    assert (family["code"], "Visitor/Tourist" in family["issue"]) == (
        "Family Migrant",
        True,
    )


def test_every_field_of_the_htcds_that_has_codes_has_a_list(officer: Someone) -> None:
    fields = {item["code"]: item for item in load_list(officer, "htcds_fields")["items"]}
    listed = [name for name in NAMES.split() if "_" in name and name in fields]

    assert len(listed) == 21
    assert fields["vic_Vulnerabilities"]["issue"] == "field deprecated in v2.0"
    assert fields["con_Consent"]["note"].startswith("Guidance on consent")
