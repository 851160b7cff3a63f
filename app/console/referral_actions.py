"""The forms of the actions on a referral."""

from typing import Final

from app.console.action_forms import ActionForm, RecordKind
from app.console.case_fields import ask_contacts, ask_note, ask_reason
from app.console.forms import FieldKind, FormField
from app.console.translations import mark

FEEDBACK: Final = FormField(
    name="feedback",
    label=mark("What do you report to the sender?"),
    kind=FieldKind.LONG_TEXT,
    hint=mark("The report is sealed. Do not name the person."),
)

ACCEPT: Final = ActionForm(
    action="accept",
    hint=mark(
        "Say where and when you meet the person for the first time. Without names, the "
        "usual contact persons of your office are used."
    ),
    fields=(
        FormField(name="meeting/place", label=mark("Where do you meet?")),
        FormField(name="meeting/at", label=mark("When?"), kind=FieldKind.TIME),
        FormField(
            name="meeting/person",
            label=mark("Whom does the person ask for?"),
            hint=mark("The name of somebody in your office."),
        ),
        *ask_contacts(is_required=False),
    ),
)
ASK: Final = ActionForm(
    action="ask",
    hint=mark("The time for your answer stops until the sender has answered."),
    fields=(
        FormField(
            name="topics",
            label=mark("What do you need to know more about?"),
            kind=FieldKind.CHOICES,
            words="sections",
        ),
        FormField(
            name="question",
            label=mark("Your question"),
            kind=FieldKind.LONG_TEXT,
            hint=mark("The question is sealed. Do not name the person."),
        ),
    ),
)
ANSWER: Final = ActionForm(
    action="answer",
    hint=mark("Answer only what the person agreed to share with this office."),
    fields=(
        FormField(
            name="answer",
            label=mark("Your answer"),
            kind=FieldKind.LONG_TEXT,
            is_required=False,
            hint=mark("The answer is sealed."),
        ),
        FormField(
            name="sections",
            label=mark("What else may the office open?"),
            kind=FieldKind.CHOICES,
            words="sections",
            is_required=False,
        ),
    ),
)
REDIRECT: Final = ActionForm(
    action="redirect",
    hint=mark("Your office does not help. The sender decides whom to ask next."),
    fields=(
        ask_reason("decline_reasons"),
        FormField(
            name="alternative",
            label=mark("Which office could help?"),
            kind=FieldKind.OFFICE,
        ),
        ask_note(),
    ),
)
START: Final = ActionForm(
    action="start",
    fields=(
        FormField(
            name="person_met",
            label=mark("We met the person."),
            kind=FieldKind.CHECK,
        ),
    ),
)
HOLD: Final = ActionForm(
    action="hold",
    fields=(
        ask_reason("suspend_reasons"),
        FormField(
            name="review_at", label=mark("When do you review it?"), kind=FieldKind.TIME
        ),
        ask_note(),
    ),
)
COMPLETE: Final = ActionForm(
    action="complete",
    hint=mark("The help of your office ends with this."),
    fields=(
        FormField(
            name="outcome",
            label=mark("What was the result?"),
            kind=FieldKind.CHOICE,
            words="referral_outcomes",
        ),
        FEEDBACK,
    ),
)

REFERRALS: Final = RecordKind(
    path="referrals",
    words="referral_actions",
    frequent=(
        "send",
        "acknowledge",
        "accept",
        "start",
        "ask",
        "answer",
        "report",
        "complete",
        "resume",
        "confirm_deletion",
    ),
    forms={
        form.action: form
        for form in (
            ActionForm(action="send"),
            ActionForm(action="acknowledge"),
            ASK,
            ANSWER,
            ACCEPT,
            ActionForm(
                action="decline",
                fields=(ask_reason("decline_reasons"), ask_note()),
                is_grave=True,
            ),
            REDIRECT,
            START,
            HOLD,
            ActionForm(action="resume"),
            ActionForm(action="report", fields=(FEEDBACK,)),
            COMPLETE,
            ActionForm(
                action="withdraw",
                fields=(ask_reason("withdraw_reasons"), ask_note()),
                is_grave=True,
            ),
            ActionForm(
                action="revoke",
                fields=(ask_reason("withdraw_reasons"), ask_note()),
                is_grave=True,
                hint=mark("The office can open nothing of the case from now on."),
            ),
            ActionForm(
                action="confirm_deletion",
                hint=mark("Confirm it when nothing about the person is left with you."),
            ),
        )
    },
)
