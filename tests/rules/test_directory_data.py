"""The files of the directory contain what the sources state, and nothing else."""

import re
from importlib.resources import files

import pytest
from pydantic import ValidationError

from app.administration.cell_values import format_cell
from app.administration.schemas import AgreementOut, CountrySettings
from app.directory.actions import get_standard_data
from app.directory.addresses import Channel
from app.directory.file_rows import AgreementRow, CountryRow, FocalPointRow, Row
from app.directory.files import Known, read_folder
from app.directory.kinds import (
    Confidence,
    OfficeFunction,
    OfficeKind,
    Service,
    StateRouting,
)
from app.directory.models import Agreement, Country, FocalPoint
from app.directory.schemas import CountryOut, FocalPointOut
from app.kernel.db import Base

REGIONS = {
    "central_asia": "UZ KZ KG TJ TM AF",
    "central_america": "GT SV HN CR PA NI BZ",
    "caribbean": "JM TT BS DO HT GY BB LC SR AG VC GD KN DM CU",
}
NOT_FOUND = {"SR", "GD", "KN", "DM", "CU"}
AVOIDED = {"AF", "NI", "HT", *NOT_FOUND}
CONVENERS = {
    "UNODC_ROCA",
    "UNODC_ROPAN",
    "OSCE_PCUZ",
    "CORETT",
    "TIPCOM",
    "CARICOM_IMPACS",
    "RCM",
}
WORLDWIDE = {"IOM", "UNHCR", "ISS"}
GONE = {"WINROCK_SMICA", "LASTRADA"}
NGOS = {"ISTIQBOLLI_AVLOD", "SANA_SEZIM", "PARTNERSHIP_IN_ACTION"}
ORGANISATIONS = CONVENERS | WORLDWIDE | GONE | NGOS
OF_UZBEKISTAN = """
    UZ_LEAD           state              coordination  leads
    UZ_MIA            state              police        -
    UZ_MFA_CONSULAR   state              consular      -
    ISTIQBOLLI_AVLOD  non_state          social        leads
    IOM               intergovernmental  migration     leads
    OSCE_PCUZ         intergovernmental  technical     -
    UNODC_ROCA        intergovernmental  technical     -
"""
IDENTIFYING = {"HN_LEAD", "PA_LEAD", "TT_LEAD", "HT_LEAD", "AG_LEAD", "VC_LEAD"}
STANDARD = read_folder(get_standard_data())
COUNTRIES = {row.code: row for row in STANDARD.countries}
OFFICES = {row.code: row for row in STANDARD.focal_points}
LEADS = {r.of_state: r for r in STANDARD.focal_points if r.code == f"{r.of_state}_LEAD"}
DEMONSTRATION = read_folder(files("app.demo").joinpath("data"), Known(COUNTRIES))
INVENTED = {row.code: row for row in DEMONSTRATION.focal_points}
AGREEMENTS = DEMONSTRATION.agreements


def test_the_directory_holds_the_28_countries_in_their_regions() -> None:
    found = {
        region: {row.code for row in STANDARD.countries if row.region == region}
        for region in {row.region for row in STANDARD.countries}
    }

    assert len(COUNTRIES) == 28
    assert found == {region: set(codes.split()) for region, codes in REGIONS.items()}


def test_a_country_keeps_a_time_of_its_own() -> None:
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text()
    zones = {tuple(line.split("\t")[:3:2]) for line in table.splitlines()}

    assert {(row.code, row.time_zone) for row in STANDARD.countries} <= zones


def test_where_no_source_names_a_lead_body_there_is_none() -> None:
    unnamed = {row.code for row in STANDARD.countries if row.lead_body is None}

    assert unnamed == NOT_FOUND
    assert set(LEADS) == set(COUNTRIES) - NOT_FOUND


def test_a_gap_of_the_research_is_an_empty_cell_and_never_a_word() -> None:
    for name in ("countries.csv", "focal_points.csv"):
        text = get_standard_data().joinpath(name).read_text()

        assert not re.search(r"NOT (FOUND|RESEARCHED|CONFIRMED)", text)


@pytest.mark.parametrize("lead", LEADS.values(), ids=lambda lead: lead.code)
def test_a_lead_body_is_named_in_words_of_its_source(lead: FocalPointRow) -> None:
    country = COUNTRIES[lead.of_state or ""]
    words = (country.lead_body or "").lower()

    assert all(
        word in words for word in re.findall(r"\w{3,}", lead.name.lower()) if word != "and"
    )
    assert (lead.source, lead.as_of) == (country.source, country.as_of)
    assert set(lead.languages) <= set(country.languages)


@pytest.mark.parametrize("lead", LEADS.values(), ids=lambda lead: lead.code)
def test_a_lead_body_leads_at_home_and_nowhere_else(lead: FocalPointRow) -> None:
    assert (lead.kind, lead.function) == (OfficeKind.STATE, OfficeFunction.COORDINATION)
    assert lead.code == f"{lead.of_state}_LEAD"
    assert lead.serves == [lead.of_state]
    assert lead.can_lead
    assert lead.active == (lead.of_state != "AF")


def test_countries_without_a_reliable_lead_body_are_avoided() -> None:
    avoided = {r.code for r in STANDARD.countries if r.state_routing == StateRouting.AVOID}

    assert avoided == AVOIDED
    assert all(COUNTRIES[code].routing_reason for code in avoided)


def test_the_two_settings_that_put_the_person_first_are_there() -> None:
    first = {r.code: r.first_contact for r in STANDARD.countries if r.first_contact}
    case = {
        r.code: r.needs_criminal_case for r in STANDARD.countries if r.needs_criminal_case
    }

    assert first == {"SV": "police_or_prosecutor"}
    assert case == {"KZ": "ask"}


def test_every_organisation_of_the_sources_is_there() -> None:
    assert {code for code, row in OFFICES.items() if not row.of_state} == ORGANISATIONS


def test_iom_and_unhcr_may_lead_everywhere() -> None:
    everywhere = {code for code, row in OFFICES.items() if row.serves == ["*"]}

    assert everywhere == WORLDWIDE
    assert OFFICES["IOM"].can_lead
    assert OFFICES["UNHCR"].can_lead
    assert not OFFICES["ISS"].can_lead


def test_who_convenes_others_neither_leads_nor_serves_people() -> None:
    technical = {
        code for code, r in OFFICES.items() if r.function == OfficeFunction.TECHNICAL
    }

    assert technical == CONVENERS | GONE
    assert not any(OFFICES[code].can_lead or OFFICES[code].services for code in technical)


def test_no_service_is_offered_that_no_source_names() -> None:
    offered = {code: set(row.services) for code, row in OFFICES.items() if row.services}

    assert offered == {
        "IOM": {
            Service.SHELTER,
            Service.RETURN,
            Service.REINTEGRATION,
            Service.CONSULAR_DOCUMENT,
        },
        "UNHCR": {Service.ASYLUM},
        "UZ_MIA": {Service.IDENTIFICATION},
        "UZ_MFA_CONSULAR": {Service.CONSULAR_DOCUMENT},
        "ISTIQBOLLI_AVLOD": {Service.RETURN},
        "SANA_SEZIM": {Service.LEGAL_AID},
        **{code: {Service.IDENTIFICATION} for code in IDENTIFYING},
    }


def test_who_works_together_in_uzbekistan_is_what_it_is() -> None:
    """Each listed office is active and has the expected kind, function and `can_lead`.

    The offices took part in a meeting in July 2022, or convened the meeting.
    """
    rows = [line.split() for line in OF_UZBEKISTAN.strip().splitlines()]

    for code, kind, function, leads in rows:
        row = OFFICES[code]
        assert (row.kind, row.function, row.can_lead) == (kind, function, leads == "leads")
        assert row.active
        assert "UZ" in row.serves or code == "IOM"
        assert (row.of_state == "UZ") == (kind == "state")


def test_one_body_leads_for_a_state_however_many_it_has() -> None:
    leading = [row.code for row in OFFICES.values() if row.of_state and row.can_lead]

    assert sorted(leading) == sorted(lead.code for lead in LEADS.values())


def test_no_office_that_exists_oversees_and_nobody_who_convenes_can_be_asked() -> None:
    """The standard data has no oversight office and no desk. Conveners cannot lead.

    The operator names the oversight office, which becomes a party of every case.
    """
    assert not [
        row
        for row in OFFICES.values()
        if row.kind in {OfficeKind.OVERSIGHT, OfficeKind.DESK}
    ]
    for code in CONVENERS:
        row = OFFICES[code].model_dump() | {"can_lead": True}
        cells = {name: format_cell(value) for name, value in row.items()}
        with pytest.raises(ValidationError, match="technical office"):
            FocalPointRow.model_validate(cells)


def test_no_source_says_whom_offices_serve_when_and_with_how_many_places() -> None:
    for row in OFFICES.values():
        assert (row.sexes, row.ages, row.opening) == ([], [], [])
        assert (row.capacity, row.capacity_as_of, row.deputy) == (None, None, None)


def test_ngos_may_lead_where_the_state_cannot_be_asked() -> None:
    assert all(OFFICES[code].can_lead for code in NGOS)


def test_no_source_says_what_organisations_speak() -> None:
    assert not any(OFFICES[code].languages for code in ORGANISATIONS)


def test_who_may_be_gone_is_not_active() -> None:
    inactive = {code for code, row in OFFICES.items() if not row.active}

    assert inactive == {"AF_LEAD", *GONE}


def test_whoever_exists_has_a_source_and_is_not_called_fictitious() -> None:
    for row in OFFICES.values():
        assert row.source
        assert row.confidence in {Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW}


def test_whatever_is_invented_says_so() -> None:
    invented: list[FocalPointRow | AgreementRow] = [*INVENTED.values(), *AGREEMENTS]

    for row in invented:
        assert row.confidence == Confidence.FICTITIOUS
        assert row.name.endswith(" (fictitious)")
        assert row.code not in OFFICES


def test_the_demonstration_has_a_desk_for_each_region() -> None:
    desks = [row for row in INVENTED.values() if row.kind == OfficeKind.DESK]

    served = sorted(set(desk.serves) for desk in desks if not desk.can_lead)

    assert served == sorted(set(codes.split()) for codes in REGIONS.values())


def test_the_demonstration_has_consulates_that_cannot_lead_where_they_sit() -> None:
    consulates = {
        (row.of_state, *row.serves): row.can_lead
        for row in INVENTED.values()
        if row.function == OfficeFunction.CONSULAR
    }

    assert consulates == {
        ("UZ", "KZ"): False,
        ("JM", "TT"): False,
        ("HN", "GT"): False,
        ("TM", "KG"): False,
        ("UZ", "PA"): False,
    }


@pytest.mark.parametrize("place", ["KZ", "TT"])
def test_the_demonstration_can_shelter_advise_and_lead_without_the_state(
    place: str,
) -> None:
    here = [row for row in (*OFFICES.values(), *INVENTED.values()) if place in row.serves]

    offered = {service for row in here for service in row.services}
    leads = [row for row in here if row.can_lead and row.kind == OfficeKind.NON_STATE]

    assert offered >= {Service.SHELTER, Service.PSYCHOSOCIAL, Service.LEGAL_AID}
    assert leads


@pytest.mark.parametrize(
    ("row", "model", "internal"),
    [
        (CountryRow, Country, {"mac"}),
        (FocalPointRow, FocalPoint, {"id", "deactivated_by_account", "mac"}),
        (AgreementRow, Agreement, {"mac"}),
    ],
)
def test_a_file_has_the_columns_of_its_table(
    row: type[Row], model: type[Base], internal: set[str]
) -> None:
    assert set(row.model_fields) == set(model.__table__.columns.keys()) - internal


def test_the_wire_shows_what_a_file_says_and_no_internal_id() -> None:
    watched = {"capacity", "capacity_as_of"}
    assert set(FocalPointOut.model_fields) == set(FocalPointRow.model_fields) - watched
    assert set(CountryOut.model_fields) == set(CountryRow.model_fields)
    assert set(AgreementOut.model_fields) == set(AgreementRow.model_fields)


def test_every_column_of_a_country_is_its_sources_to_say_or_an_operators() -> None:
    sourced = {"code", "name", "region", "lead_body", "source", "as_of", "confidence"}

    assert set(CountrySettings.model_fields) == set(CountryRow.model_fields) - sourced


def test_nobody_real_is_given_an_address_and_the_made_up_ones_lead_nowhere() -> None:
    assert STANDARD.contacts == []
    for contact in DEMONSTRATION.contacts:
        assert contact.focal_point in INVENTED
        assert contact.label.endswith(" (fictitious)")
        if contact.channel == Channel.EMAIL:
            assert contact.address.endswith(".example.org")  # RFC 2606
        else:
            assert re.fullmatch(r"\+447700900[0-9]{3}", contact.address)  # Ofcom: for drama


def test_the_made_up_desks_are_reached_by_two_channels() -> None:
    desks = {code for code, row in INVENTED.items() if row.kind == OfficeKind.DESK}
    posts = {(c.focal_point, c.label) for c in DEMONSTRATION.contacts}

    for desk in desks:
        mine = [c for c in DEMONSTRATION.contacts if c.focal_point == desk]
        assert {contact.channel for contact in mine} == set(Channel)
        assert len([post for post in posts if post[0] == desk]) == 1
