"""A case from submission to help, with a Python client generated from the contract."""

import json
import os
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from safe_conduct_client import AuthenticatedClient
from safe_conduct_client.api.case_actions import accept_lead, acknowledge_case
from safe_conduct_client.api.cases import create_case, get_case
from safe_conduct_client.api.feed import list_events
from safe_conduct_client.api.referral_actions import (
    accept_referral,
    acknowledge_referral,
    complete_referral,
    start_referral,
)
from safe_conduct_client.api.referrals import create_referral, get_referral
from safe_conduct_client.models import (
    AcceptLead,
    AcceptReferral,
    ActionIllegalProblem,
    AgeClass,
    CaseInput,
    CaseOut,
    CaseState,
    CompleteReferral,
    ConsentInput,
    ConsentRecipient,
    ContactInput,
    DutyContactInput,
    EventOut,
    EventPage,
    GivenBy,
    IdentityInput,
    MeetingInput,
    NeedsInput,
    NeedsUnmetProblem,
    OfficeKind,
    Outcome,
    Priority,
    ProblemDetail,
    Purpose,
    RecipientClassInput,
    ReferralInput,
    ReferralOut,
    ReferralState,
    RequestInvalidProblem,
    RequiredConsent,
    RiskInput,
    RiskLevel,
    SafeContact,
    SafeguardsInput,
    Section,
    Service,
    StartReferral,
    SummaryFields,
)
from safe_conduct_client.types import UNSET, Response


def caller(name: str) -> AuthenticatedClient:
    """Return a client with an API key from the environment."""
    url, key = os.environ["SAFE_CONDUCT_URL"], os.environ[name]
    return AuthenticatedClient(url, key, raise_on_unexpected_status=True)


officer, lead, shelter = (caller(f"{who}_KEY") for who in ("OFFICER", "LEAD", "SHELTER"))


def report(step: str) -> None:
    """Report a step of tests/clients/steps.csv that was checked."""
    print(f"step {step}")  # noqa: T201 - a program


def tag[T](answer: Response[T]) -> str:
    """Return the entity tag of a response."""
    return str(answer.headers["ETag"])


def recipient(kind: OfficeKind, purpose: Purpose) -> ConsentRecipient:
    """Return a kind of office in Kazakhstan as a recipient of a consent."""
    return ConsentRecipient(
        recipient_class=RecipientClassInput(kind, "KZ"),
        purposes=[purpose],
        sections=[Section.NEEDS, Section.CONTACT],
    )


def consent(*recipients: ConsentRecipient) -> ConsentInput:
    """Return a consent that names these recipients."""
    return ConsentInput(
        recipients=list(recipients),
        given_by=GivenBy.PERSON,
        language="uz",
        form_version="2026-1",
        obtained_on=date(2026, 6, 1),
        expires_at=datetime(2027, 6, 1, tzinfo=UTC),
    )


def new_case(country: str) -> CaseInput:
    """Return the request body of a new case in a country."""
    return CaseInput(
        summary=SummaryFields(
            country=country,
            age_class=AgeClass.ADULT,
            language="uz",
            priority=Priority.URGENT,
            services=[Service.SHELTER],
            urgent_needs=[],
            safe_contact=SafeContact.YES,
        ),
        sections=[
            NeedsInput(section="needs", summary="A safe bed tonight"),
            ContactInput(section="contact", alias="Oygul", safe_channel="Signal, no calls"),
            IdentityInput(
                section="identity", names=["Ойгул Ғаниева", "Oygʻul Gʻaniyeva", "أويغول"]
            ),
        ],
        safeguards=SafeguardsInput(country_of_origin="UZ"),
        consents=[
            consent(
                recipient(OfficeKind.STATE, Purpose.REFER),
                recipient(OfficeKind.NON_STATE, Purpose.SHELTER),
            )
        ],
        risk=RiskInput(level=RiskLevel.MEDIUM),
        submit=True,
    )


def heard(who: AuthenticatedClient, kind: str, subject: str) -> None:
    """Poll until an event with this type and subject arrives; fail at an empty page."""
    after: str | None = None
    while True:
        page = list_events.sync(client=who, after=after or UNSET, prefer="wait=5")
        assert isinstance(page, EventPage)
        if any((one.type_, one.subject) == (kind, subject) for one in page.items):
            return
        assert page.items, f"no event {kind}"
        after = page.cursor


def follow(who: AuthenticatedClient) -> list[EventOut]:
    """Return all events of a feed, from the first page to the last."""
    found: list[EventOut] = []
    after: str | None = None
    while True:
        page = list_events.sync(client=who, after=after or UNSET, limit=2)
        assert isinstance(page, EventPage)
        found += page.items
        after = page.cursor
        if not page.more:
            return found


# A problem names the wrong field, and does not repeat what was sent.
wrong = create_case.sync(
    client=officer, idempotency_key=str(uuid4()), body=new_case("Kazakhstan")
)
assert isinstance(wrong, RequestInvalidProblem)
assert wrong.status == 422
assert wrong.errors[0].pointer == "#/summary/country"
assert "Kazakhstan" not in json.dumps(wrong.to_dict())
report("refuse-invalid")

# A case that is submitted twice with one idempotency key is created once.
key = str(uuid4())
first, again = (
    create_case.sync_detailed(client=officer, idempotency_key=key, body=new_case("KZ"))
    for _ in range(2)
)
assert isinstance(first.parsed, CaseOut)
report("submit")
assert isinstance(again.parsed, CaseOut)
assert again.headers["Idempotent-Replayed"] == "true"
code = first.parsed.code
assert again.parsed.code == code
report("replay")

# The lead polls the feed, and acts on the version that it has read.
heard(lead, "case.submitted", f"cases/{code}")
report("poll")
seen = tag(get_case.sync_detailed(code, client=lead))
taken = acknowledge_case.sync_detailed(code, client=lead, if_match=seen)
assert isinstance(taken.parsed, CaseOut)
assert taken.parsed.state is CaseState.UNDER_REVIEW
report("acknowledge")

# A conflict: an action on an old version is refused, and so is an action without a version.
duty = [
    DutyContactInput("Айгүл Сәрсенова", "+77010000001"),
    DutyContactInput("Ильяс Төлеген", "+77010000002"),
]
stale = accept_lead.sync(code, client=lead, if_match=seen, body=AcceptLead(duty))
assert isinstance(stale, ProblemDetail)
assert stale.status == 412
report("refuse-stale")
unseen = accept_lead.sync(code, client=lead, if_match="*", body=AcceptLead(duty))
assert isinstance(unseen, ProblemDetail)
assert (unseen.status, unseen.type_) == (428, "/problems/version-not-given")
report("refuse-unversioned")
led = accept_lead.sync(code, client=lead, if_match=tag(taken), body=AcceptLead(duty))
assert isinstance(led, CaseOut)
report("accept-lead")


def new_referral(section: Section) -> ReferralInput:
    """Return the request body of a referral to the shelter with one section."""
    return ReferralInput(
        recipient="KZ_SHELTER_KOGERSHIN",
        service=Service.SHELTER,
        sections=[section],
        send=True,
    )


# A section without a consent is not sent, and the problem says which consent is required.
unmet = create_referral.sync(
    code, client=lead, idempotency_key=str(uuid4()), body=new_referral(Section.IDENTITY)
)
assert isinstance(unmet, NeedsUnmetProblem)
[lack] = unmet.unmet
asked = lack.consent
assert lack.requirement == "consent"
assert isinstance(asked, RequiredConsent)
assert (asked.purpose, asked.sections) == ("SHELTER", ["identity"])
assert asked.recipient == "KZ_SHELTER_KOGERSHIN"
report("refuse-unmet")

# A referral is sent, accepted and completed.
opened = create_referral.sync(
    code, client=lead, idempotency_key=str(uuid4()), body=new_referral(Section.NEEDS)
)
assert isinstance(opened, ReferralOut)
record: UUID = opened.id
report("refer")
heard(shelter, "referral.sent", f"referrals/{record}")
at = tag(get_referral.sync_detailed(record, client=shelter))
at = tag(acknowledge_referral.sync_detailed(record, client=shelter, if_match=at))
report("acknowledge-referral")
meeting = MeetingInput("Side door", datetime(2026, 6, 2, 4, tzinfo=UTC), "Гүлнар")
promise = AcceptReferral(meeting, duty)
at = tag(accept_referral.sync_detailed(record, client=shelter, if_match=at, body=promise))
report("accept-referral")
met = StartReferral(person_met=True)
at = tag(start_referral.sync_detailed(record, client=shelter, if_match=at, body=met))
report("start-referral")
end = CompleteReferral(Outcome.DELIVERED, "Well")
done = complete_referral.sync(record, client=shelter, if_match=at, body=end)
assert isinstance(done, ReferralOut)
assert done.state is ReferralState.COMPLETED
report("complete-referral")

# A problem names the state that does not allow an action.
version = tag(get_referral.sync_detailed(record, client=shelter))
over = complete_referral.sync(record, client=shelter, if_match=version, body=end)
assert isinstance(over, ActionIllegalProblem)
assert over.state == "completed"
assert over.legal_actions == []
report("refuse-illegal")

# The lead follows its feed to the end, and gets each event once.
events = follow(lead)
assert len({event.id for event in events}) == len(events) > 2
told = {(event.type_, event.subject) for event in events}
assert {
    ("case.submitted", f"cases/{code}"),
    ("referral.completed", f"referrals/{record}"),
} <= told
report("follow-feed")

for client in (officer, lead, shelter):
    client.get_httpx_client().close()
