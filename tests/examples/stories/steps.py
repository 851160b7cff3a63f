"""Steps of the stories. Most functions send a request and check the response."""

from typing import Any

from tests.support.world import (
    SECTIONS,
    Json,
    Someone,
    get_path,
    make_acceptance,
    make_closure,
    make_consent,
    unwrap,
)

FOUND, HIDDEN = 200, 404
NORMAL = {"priority": "normal"}
GUARDIAN = {"given_by": "guardian_with_assent"}


def make_sections(*names: str) -> list[Json]:
    """Return all sections of a case; the section `identity` has the given names."""
    others = [one for one in SECTIONS if one["section"] != "identity"]
    return [*others, {"section": "identity", "names": list(names)}]


def make_class_consent(kind: str, country: str, *purposes: str, **changes: Any) -> Json:
    """Return a consent that names a kind of office in a country.

    By default, the consent covers the needs and the contact, and ends in 2030.
    """
    given: Json = {
        "recipient_class": {"kind": kind, "country": country},
        "purposes": list(purposes),
        "expires_at": "2030-01-01T00:00:00Z",
    }
    return make_consent(**given | changes)


def make_office_consent(office: str, *purposes: str, **changes: Any) -> Json:
    """Return a consent to one office until 2030, for the sections `needs` and `contact`."""
    given: Json = {"purposes": list(purposes), "expires_at": "2030-01-01T00:00:00Z"}
    return make_consent(focal_point=office, **given | changes)


def get_read_status(
    who: Someone, case: Json, part: str, purpose: str = "assistance"
) -> int:
    """Try to open a part of a case, and return the status, such as 404 if it is denied."""
    return who.open(f"{get_path(case)}/{part}", purpose).status_code


def assess_risk(who: Someone, case: Json, level: str = "low") -> None:
    """Record a new assessment of the risk."""
    unwrap(who.create(f"{get_path(case)}/risk-assessments", {"level": level}))


def record_fact(who: Someone, case: Json, name: str, value: str, **more: Any) -> None:
    """Record a fact about the case."""
    fact = {"name": name, "value": value} | more
    unwrap(who.create(f"{get_path(case)}/facts", fact))


def record_consent(who: Someone, case: Json, given: Json) -> None:
    """Record a consent of the person or of a guardian, or a best interests decision."""
    unwrap(who.create(f"{get_path(case)}/consents", given))


def withdraw_consents(who: Someone, case: Json, *purposes: str) -> None:
    """Withdraw the person's consents to these purposes."""
    path = f"{get_path(case)}/consents/withdraw"
    assert who.send(path, {"purposes": list(purposes)}).status_code == 204


def set_safeguards(who: Someone, case: Json, **guards: Any) -> None:
    """Replace the safeguards of a case."""
    tag = {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PUT", f"{get_path(case)}/safeguards", guards, headers=tag))


def write_section(who: Someone, case: Json, section: str, **content: Any) -> None:
    """Replace one section of a case."""
    tag = {"If_Match": who.get_tag(case)}
    path = f"{get_path(case)}/sections/{section}"
    unwrap(who.ask("PUT", path, {"section": section} | content, headers=tag))


def update_summary(who: Someone, case: Json, **fields: Any) -> None:
    """Update fields of the summary of a case."""
    tag = {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PATCH", get_path(case), fields, headers=tag))


def refer(who: Someone, case: Json, to: Someone, service: str, *sections: str) -> Json:
    """Refer the case to an office for one service, with the sections that it may read."""
    return unwrap(who.refer(case, to.code, service=service, sections=list(sections)))


def acknowledge(who: Someone, referral: Json) -> None:
    """Acknowledge a referral."""
    unwrap(who.does("acknowledge", referral))


def accept(who: Someone, referral: Json, at: str) -> Json:
    """Accept a referral, with the time of the meeting."""
    return unwrap(who.does("accept", referral, make_acceptance(at=f"{at}Z")))


def start(who: Someone, referral: Json) -> Json:
    """Start work on a referral, and confirm that the recipient has met the person."""
    return unwrap(who.does("start", referral, {"person_met": True}))


def complete(who: Someone, referral: Json, feedback: str) -> Json:
    """Complete a referral with feedback on the help."""
    report = {"outcome": "delivered", "feedback": feedback}
    return unwrap(who.does("complete", referral, report))


def decline(who: Someone, referral: Json, reason: str = "NO_CAPACITY") -> Json:
    """Decline a referral."""
    return unwrap(who.does("decline", referral, {"reason": reason}))


def confirm_deletion(who: Someone, referral: Json) -> None:
    """Confirm as the recipient that the help has stopped and the data is deleted."""
    assert who.does("confirm-deletion", referral).status_code == 204


def report_visit(who: Someone, case: Json) -> None:
    """Report a visit to the person."""
    unwrap(who.does("visits", case, {"person_met": True}))


def close(who: Someone, second: Someone, case: Json, reason: str, **more: Any) -> Json:
    """Close a case with the approval of a second person."""
    return unwrap(who.does_with(second, "close", case, make_closure(reason=reason, **more)))


def stop(who: Someone, case: Json) -> Json:
    """Stop a case because the person wishes it."""
    return unwrap(who.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))
