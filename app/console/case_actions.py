"""The actions on a case: the path of each, its form, a hint, and whether it is grave."""

from typing import Final

from app.console.action_forms import RecordKind
from app.console.case_fields import (
    CONSENT_FIELDS,
    CONTACT_LABELS,
    REMARKS,
    SAFEGUARD_FIELDS,
    SCREENING_FIELDS,
    SEALED_HINT,
    SUMMARY_FIELDS,
    ask_check,
    ask_choice,
    ask_choices,
    ask_contacts,
    ask_line,
    ask_note,
    ask_office,
    ask_reason,
    ask_text,
    ask_time,
)
from app.console.case_forms import FACTS, SECTIONS, CaseAction
from app.console.forms import FieldKind, FormField
from app.console.translations import mark

REOPENING: Final = (ask_reason("reopen_reasons"), ask_note())
PERSON_INFORMED: Final = ask_check("person_informed", mark("The person was told"))
VISITS: Final = tuple(
    ask_time(f"visits/{number}", label, is_required=False)
    for number, label in enumerate(
        (
            mark("First visit"),
            mark("Second visit"),
            mark("Third visit"),
            mark("Fourth visit"),
            mark("Fifth visit"),
        )
    )
)
LEAD_CONSENT: Final = (
    *CONSENT_FIELDS,
    FormField(
        name="kind",
        label=mark("Which kind of office may lead?"),
        kind=FieldKind.CHOICE,
        words="office_kinds",
        codes=("state", "non_state", "intergovernmental"),
    ),
    ask_choices("purposes", mark("For which purposes?"), "purposes", ("REFER", "HANDOVER")),
    ask_choices(
        "sections", mark("Which sections may it open?"), "sections", is_required=False
    ),
    ask_reason("take_over_reasons"),
)
WORKING: Final = (
    CaseAction(action="submit", hint=mark("The first office in the routing is asked.")),
    CaseAction(
        action="acknowledge", hint=mark("It does not say whether you take the lead.")
    ),
    CaseAction(
        action="accept_lead",
        fields=ask_contacts(is_required=False),
        hint=mark("Without names, the usual contact persons of your office are used."),
    ),
    CaseAction(
        action="decline_lead",
        fields=(ask_reason("decline_reasons"), ask_note()),
        hint=mark("The next office is asked at once."),
    ),
    CaseAction(
        action="answer_question",
        path="questions/{id}/answer",
        per_record="questions",
        fields=(ask_text("answer", mark("Answer"), SEALED_HINT),),
    ),
    CaseAction(
        action="report_visit",
        path="visits",
        fields=(
            FormField(
                name="person_met",
                label=mark("Was the person met?"),
                kind=FieldKind.YES_NO,
            ),
            ask_check("early", mark("The visit took place before its planned date")),
            ask_note(),
        ),
    ),
    CaseAction(action="resume"),
    CaseAction(action="refer", page="ask"),
    CaseAction(action="record_consent", page="consent"),
    CaseAction(
        action="assess_risk",
        path="risk-assessments",
        fields=(
            ask_choice("level", mark("How great is the danger?"), "risk_levels"),
            REMARKS,
        ),
        hint=mark(
            "An assessment is valid for 7 days, and for 72 hours if the risk is high."
        ),
    ),
    CaseAction(
        action="ask_submitter",
        path="questions",
        fields=(
            ask_choices("topics", mark("What is the question about?"), "sections"),
            ask_text("question", mark("Question"), SEALED_HINT),
        ),
    ),
    CaseAction(
        action="monitor",
        fields=VISITS,
        hint=mark(
            "Without dates, the visits are after 7 days and after 1, 3, 6 and 12 months."
        ),
    ),
    CaseAction(
        action="suspend",
        fields=(
            ask_reason("suspend_reasons"),
            ask_time(
                "review_at",
                mark("Review this on"),
                mark("Within 7 days in an emergency, 14 if urgent, and otherwise 30."),
            ),
            ask_note(),
        ),
    ),
    CaseAction(action="reopen_assistance", fields=REOPENING),
    CaseAction(action="reopen", fields=REOPENING),
    CaseAction(
        action="assign",
        fields=(
            ask_office(mark("Office that is asked to lead")),
            ask_reason("assign_reasons"),
            ask_note(),
        ),
    ),
    CaseAction(
        action="take_over",
        fields=(
            ask_office(mark("Office that will lead")),
            ask_reason("take_over_reasons"),
            PERSON_INFORMED,
            ask_note(),
        ),
    ),
    CaseAction(action="record_lead_consent", fields=LEAD_CONSENT),
    CaseAction(action="relocate", page="relocate"),
    CaseAction(action="offer_handover", page="offer-handover"),
    CaseAction(action="request_emergency_access", page="emergency-access"),
)
"""The actions that advance a case, or ask an office or a person to act."""
WRITING: Final = (
    CaseAction(
        action="update_summary",
        method="PATCH",
        is_on_record=True,
        fields=SUMMARY_FIELDS,
        hint=mark("The summary identifies nobody. Every office that is asked reads it."),
    ),
    CaseAction(action="write_section", variants=SECTIONS, variant_words="sections"),
    CaseAction(
        action="write_safeguards",
        method="PUT",
        path="safeguards",
        fields=SAFEGUARD_FIELDS,
        hint=mark("This replaces what was written before. To change it, open it first."),
    ),
    CaseAction(
        action="write_contacts",
        method="PUT",
        path="contacts",
        fields=ask_contacts(is_required=True, count=len(CONTACT_LABELS)),
        hint=mark("This replaces the contact persons that were named before."),
    ),
    CaseAction(
        action="record_screening",
        path="screenings",
        fields=SCREENING_FIELDS,
        hint=mark("The result is a presumption, never a finding. Help never waits for it."),
    ),
    CaseAction(action="record_fact", variants=FACTS, variant_words="facts"),
    CaseAction(
        action="declare_vital_interest",
        path="vital-interests",
        fields=(
            ask_reason("vital_interest_reasons"),
            ask_text("note", mark("What is known about the danger"), SEALED_HINT),
        ),
        hint=mark("Only if life is at risk, serious harm is near, or a child is alone."),
    ),
    CaseAction(
        action="set_legal_hold",
        path="legal-hold",
        fields=(ask_choice("value", mark("Legal hold"), "legal_holds"),),
        hint=mark("A case cannot be erased while a legal hold is in force."),
    ),
)
"""The actions that record information about a case."""
ENDING: Final = (
    CaseAction(
        action="withdraw_consents",
        path="consents/withdraw",
        keeps_part=True,
        is_grave=True,
        fields=(
            ask_choices(
                "purposes", mark("Which purposes does the person withdraw?"), "purposes"
            ),
        ),
        hint=mark("Every consent for one of these purposes ends at once, and as a whole."),
    ),
    CaseAction(
        action="withdraw_consent",
        path="consents/{id}/withdraw",
        listed_as="withdraw_consents",
        title=mark("Withdraw this consent"),
        per_record="consents",
        is_grave=True,
        hint=mark("The consent ends at once, and as a whole."),
    ),
    CaseAction(
        action="withdraw",
        is_grave=True,
        fields=(ask_reason("withdraw_reasons"), ask_note()),
    ),
    CaseAction(
        action="discard",
        is_grave=True,
        hint=mark("All that was written in the draft is deleted."),
    ),
    CaseAction(
        action="close",
        is_grave=True,
        fields=(
            ask_reason("closure_reasons"),
            PERSON_INFORMED,
            ask_line(
                "continues_in",
                mark("Code of the other case of the person"),
                mark("Only if this case is a duplicate."),
                is_required=False,
            ),
            ask_note(),
        ),
        hint=mark("A second person has to approve this."),
    ),
    CaseAction(
        action="stop",
        is_grave=True,
        fields=(ask_reason("stop_reasons"), ask_note()),
        hint=mark("The case and everything that was asked for end at the same time."),
    ),
    CaseAction(
        action="erase",
        is_grave=True,
        fields=(ask_reason("erasure_reasons"),),
        hint=mark("This cannot be undone. A second person has to approve this."),
    ),
)
"""The actions that end something, and cannot simply be undone."""
FREQUENT: Final = (
    "acknowledge",
    "accept_lead",
    "decline_lead",
    "answer_question",
    "report_visit",
    "submit",
    "resume",
    "refer",
    "record_consent",
    "assess_risk",
)
"""The actions that are shown as buttons, in this order. Others are shown on demand.

The first of them that answers the deadline is shown before all others.
"""
ACTIONS: Final = {one.action: one for one in (*WORKING, *WRITING, *ENDING)}
CASES: Final = RecordKind(
    path="cases", words="case_actions", forms=ACTIONS, frequent=FREQUENT
)
