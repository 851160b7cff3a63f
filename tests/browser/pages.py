"""The pages of the console, each with the person who opens it in the tests."""

from typing import Final

from tests.browser.cases import (
    ADMINISTRATOR,
    ANALYST,
    LEAD,
    OFFICER,
    OVERSEER,
    SHELTER,
    SUPERVISOR,
)

PUBLIC: Final = {
    "sign-in": "/console/sign-in",
    "signed-out": "/console/sign-in?signed-out",
    "session-ended": "/console/ended",
    "enrol": "/console/enrol",
    "demo": "{demo}",
}
"""The pages that need no session."""
CASE: Final = "/console/cases/{led}"
PAGES: Final = {
    "to-do": (LEAD, "/console/"),
    "to-do-shelter": (SHELTER, "/console/"),
    "to-do-officer": (OFFICER, "/console/"),
    "to-do-supervisor": (SUPERVISOR, "/console/"),
    "to-do-oversight": (OVERSEER, "/console/"),
    "to-do-analyst": (ANALYST, "/console/"),
    "to-do-administrator": (ADMINISTRATOR, "/console/"),
    "cases": (LEAD, "/console/cases"),
    "cases-sent": (OFFICER, "/console/cases?sent=true"),
    "case-new": (LEAD, "/console/cases/{new}"),
    "case-acknowledged": (LEAD, "/console/cases/{acknowledged}"),
    "case-led": (LEAD, CASE),
    "case-sent": (OFFICER, CASE),
    "case-shelter": (SHELTER, CASE),
    "case-oversight": (OVERSEER, CASE),
    "case-history": (LEAD, f"{CASE}/history"),
    "case-access-log": (LEAD, f"{CASE}/access-log"),
    "ask": (LEAD, f"{CASE}/ask"),
    "consent": (LEAD, f"{CASE}/consent"),
    "accept-lead": (LEAD, "/console/cases/{acknowledged}/actions/accept_lead"),
    "decline-lead": (LEAD, "/console/cases/{acknowledged}/actions/decline_lead"),
    "update-summary": (LEAD, f"{CASE}/actions/update_summary"),
    "write-section": (LEAD, f"{CASE}/actions/write_section/identity"),
    "record-screening": (LEAD, f"{CASE}/actions/record_screening"),
    "record-fact": (LEAD, f"{CASE}/actions/record_fact"),
    "referral": (SHELTER, "/console/referrals/{referral}"),
    "referral-lead": (LEAD, "/console/referrals/{referral}"),
    "approvals": (SUPERVISOR, "/console/approvals"),
    "approval": (SUPERVISOR, "/console/approvals/{approval}"),
    "emergency-access": (LEAD, f"{CASE}/emergency-access"),
    "relocate": (LEAD, f"{CASE}/relocate"),
    "offer-handover": (LEAD, f"{CASE}/offer-handover"),
    "figures": (LEAD, "/console/figures"),
    "figures-shelter": (SHELTER, "/console/figures"),
    "figures-supervisor": (SUPERVISOR, "/console/figures?from=2026-01-01&to=2026-03-31"),
    "releases": (ANALYST, "/console/figures/releases"),
    "releases-oversight": (OVERSEER, "/console/figures/releases"),
    "directory": (LEAD, "/console/directory"),
    "office-own": (LEAD, "/console/directory/KZ_LEAD"),
    "office": (LEAD, "/console/directory/KZ_LEGAL_AID"),
    "accounts": (SUPERVISOR, "/console/accounts"),
    "accounts-administrator": (ADMINISTRATOR, "/console/accounts"),
    "webhooks": (SUPERVISOR, "/console/webhooks"),
    "webhooks-administrator": (ADMINISTRATOR, "/console/webhooks"),
    "enrolments": (SUPERVISOR, "/console/enrolments"),
    "confirm": (LEAD, "/console/confirm?next=/console/"),
    "settings": (LEAD, "/console/settings"),
    "gone": (LEAD, "/console/cases/SC-AAAA-AAAA-AAAA-A"),
}
"""The person who opens a page, and its path with the names of records."""
GONE: Final = frozenset({"gone"})
