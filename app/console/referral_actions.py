"""The forms of the actions of a referral."""

from typing import Final

from app.console.action_forms import ActionForm, RecordKind
from app.console.forms import FieldKind, FormField
from app.console.translations import mark

NOTE: Final = FormField(
    name="note",
    label=mark("Note"),
    kind=FieldKind.LONG_TEXT,
    is_required=False,
    hint=mark("The note is sealed."),
)
CONTACTS: Final = (
    FormField(
        name="contacts/0/name",
        label=mark("First contact: name"),
        is_required=False,
        hint=mark("Without names, the contacts on duty of your office are used."),
    ),
    FormField(
        name="contacts/0/phone",
        label=mark("First contact: telephone"),
        kind=FieldKind.PHONE,
        is_required=False,
        hint=mark("With the code of the country, such as +77010000000."),
    ),
    FormField(
        name="contacts/1/name", label=mark("Second contact: name"), is_required=False
    ),
    FormField(
        name="contacts/1/phone",
        label=mark("Second contact: telephone"),
        kind=FieldKind.PHONE,
        is_required=False,
    ),
)
"""Two contacts, which an office that accepts a referral or the lead can name."""
DECLINE_REASON: Final = FormField(
    name="reason", label=mark("Why?"), kind=FieldKind.CHOICE, words="decline_reasons"
)
WITHDRAW_REASON: Final = FormField(
    name="reason", label=mark("Why?"), kind=FieldKind.CHOICE, words="withdraw_reasons"
)
FEEDBACK: Final = FormField(
    name="feedback",
    label=mark("What do you report to the sender?"),
    kind=FieldKind.LONG_TEXT,
    hint=mark("The report is sealed. Do not name the person."),
)

ACCEPT: Final = ActionForm(
    action="accept",
    hint=mark("Say where and when you meet the person for the first time."),
    fields=(
        FormField(name="meeting/place", label=mark("Where do you meet?")),
        FormField(name="meeting/at", label=mark("When?"), kind=FieldKind.TIME),
        FormField(
            name="meeting/person",
            label=mark("Whom does the person ask for?"),
            hint=mark("The name of somebody in your office."),
        ),
        *CONTACTS,
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
        DECLINE_REASON,
        FormField(
            name="alternative",
            label=mark("Which office could help?"),
            kind=FieldKind.OFFICE,
        ),
        NOTE,
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
        FormField(
            name="reason",
            label=mark("Why?"),
            kind=FieldKind.CHOICE,
            words="suspend_reasons",
        ),
        FormField(
            name="review_at", label=mark("When do you review it?"), kind=FieldKind.TIME
        ),
        NOTE,
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
            ActionForm(action="decline", fields=(DECLINE_REASON, NOTE), is_grave=True),
            REDIRECT,
            START,
            HOLD,
            ActionForm(action="resume"),
            ActionForm(action="report", fields=(FEEDBACK,)),
            COMPLETE,
            ActionForm(action="withdraw", fields=(WITHDRAW_REASON, NOTE), is_grave=True),
            ActionForm(
                action="revoke",
                fields=(WITHDRAW_REASON, NOTE),
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
