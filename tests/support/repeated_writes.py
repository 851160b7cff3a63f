"""Writes without Idempotency-Key and If-Match, and the effect of repeating each."""

from collections.abc import Mapping
from typing import Final

ANSWERED: Final = "repeating the answer changes nothing"
AGAIN: Final[Mapping[str, str]] = {
    **dict.fromkeys(("approve_approval", "refuse_approval", "withdraw_approval"), ANSWERED),
    "confirm_approval": "repeating the confirmation changes nothing",
    "withdraw_consent": "what is taken back is taken back",
    "withdraw_consents": "what is taken back is taken back",
    "find_cases": "it keeps nothing",
    "score_screening": "it keeps nothing",
    "preview_routing": "it keeps nothing",
    "save_form_draft": "the latest draft is kept, whoever sends it first",
    "delete_form_draft": "what is deleted stays deleted",
    "save_unsent_form": "the same content is stored once",
    "delete_unsent_form": "what is deleted stays deleted",
    "delete_meeting_point": "what is deleted stays deleted",
    "create_passkey_options": "it keeps nothing",
    "create_session": "the token is not kept; a session whose token is lost ends soon",
    **dict.fromkeys(("end_session", "end_one_session", "end_all_sessions"), "it is over"),
    "record_refusal": "it counts again: a key would tell who counted whom (ADR 23)",
}
