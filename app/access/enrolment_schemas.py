"""Request and response bodies for enrolments."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from app.access.enrolment_models import Enrolment, EnrolmentState
from app.access.passkey_schemas import NewCredentialJson, PasskeyLabel
from app.kernel.text import RequestModel, ResponseModel

LINK_PATTERN: Final = r"^sce_[0-9a-f]{10}_[A-Za-z0-9_-]{43}$"
CODE_PATTERN: Final = r"^[0-9A-Za-z]{4}[- ]?[0-9A-Za-z]{4}$"


class EnrolmentInput(RequestModel):
    """An enrolment to begin."""

    account: Annotated[UUID, Field(description="The id of an account of the person.")]
    recovery: Annotated[
        bool,
        Field(
            strict=True,
            description="True if the person has passkeys, which are all removed when the "
            "enrolment is redeemed. False if the person has none.",
        ),
    ] = False


class EnrolmentSecrets(RequestModel):
    """The link and the code of an enrolment, which two different people give."""

    link: Annotated[
        str, Field(pattern=LINK_PATTERN, description="The link of the first person.")
    ]
    code: Annotated[
        str, Field(pattern=CODE_PATTERN, description="The code of the second person.")
    ]


class Redemption(EnrolmentSecrets):
    """The link and the code of an enrolment, and a new passkey."""

    credential: NewCredentialJson
    label: PasskeyLabel


class EnrolmentOut(ResponseModel):
    """An enrolment, without its link and code."""

    id: UUID
    account: Annotated[UUID, Field(description="The id of the account.")]
    recovery: Annotated[
        bool, Field(description="Whether the new passkey replaces those of the person.")
    ]
    state: Annotated[
        EnrolmentState,
        Field(
            description="`waiting` for the second person, `confirmed`, or ended. It is "
            "`blocked` after five wrong codes."
        ),
    ]
    created_by: Annotated[
        UUID | None,
        Field(description="The account that saw the link; null if an operator saw it."),
    ]
    created_at: datetime
    confirmed_by: Annotated[
        UUID | None,
        Field(
            description="The account that saw the code; null if it is not confirmed, or if "
            "an operator made it."
        ),
    ]
    confirmed_at: Annotated[
        datetime | None, Field(description="Null if the enrolment is not confirmed.")
    ]
    expires_at: datetime

    @classmethod
    def from_enrolment(cls, row: Enrolment, now: datetime) -> "EnrolmentOut":
        """Return the response for an enrolment in its present state."""
        return cls(
            id=row.id,
            account=row.account_id,
            recovery=row.recovery,
            state=row.get_state(now),
            created_by=row.created_by,
            created_at=row.created_at,
            confirmed_by=row.confirmed_by,
            confirmed_at=row.confirmed_at,
            expires_at=row.expires_at,
        )


class EnrolmentList(ResponseModel):
    """The enrolments of one focal point, the newest first."""

    items: list[EnrolmentOut]


class MadeEnrolmentOut(EnrolmentOut):
    """A new enrolment, with its link."""

    link: Annotated[
        str | None,
        Field(
            description="The link, which is shown only once: give it to the person. Null "
            "in the answer to a retry. If you lost it, cancel the enrolment."
        ),
    ]


class ConfirmedEnrolmentOut(EnrolmentOut):
    """A confirmed enrolment, with its code."""

    code: Annotated[
        str | None,
        Field(
            description="The code, which is shown only once: tell it to the person. Null "
            "in the answer to a retry. If you lost it, cancel the enrolment."
        ),
    ]
