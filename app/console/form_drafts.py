"""Form drafts: the values entered in forms and not sent yet. The API seals them."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

from starlette.datastructures import FormData

from app.console.api_client import ApiClient, Gone
from app.console.forms import FormField, read_texts
from app.kernel.text import encode_base64url

KEY: Final = "key"
"""The name of the value with the idempotency key, so that the form is sent only once."""
NEW: Final = "new"
"""The hidden field of a page that was shown before anything was saved."""
KEY_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, kw_only=True)
class FormDraft:
    """The values of a form, keyed by field name, with the times of saving and expiry."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    saved_at: str = ""
    expires_at: str = ""

    @property
    def key(self) -> str:
        """The idempotency key with which the form is sent."""
        return next(iter(self.values[KEY]))

    @property
    def form(self) -> FormData:
        """The values as form data, as a browser would send them."""
        pairs = ((name, text) for name, texts in self.values.items() for text in texts)
        return FormData(list(pairs))

    def get(self, name: str) -> str:
        """Return the first value of a field, or an empty string if it has none."""
        return next(iter(self.values.get(name, ())), "")


async def load_draft(api: ApiClient, form: str) -> FormDraft:
    """Return the draft of a form, or a new draft with only a key. Raises ApiProblem."""
    try:
        found = (await api.get(f"form-drafts/{form}")).body
    except Gone:
        return FormDraft(values={KEY: [token_urlsafe()]})
    values: dict[str, list[str]] = {}
    for one in found["values"]:
        values.setdefault(one["name"], []).append(one["value"])
    values.setdefault(KEY, [derive_key(found["saved_at"])])
    return FormDraft(
        values=values, saved_at=found["saved_at"], expires_at=found["expires_at"]
    )


def derive_key(saved_at: str) -> str:
    """Return the key of a draft that another client saved without one."""
    return encode_base64url(sha256(saved_at.encode()).digest())


def find_typed(draft: FormDraft, form: FormData) -> FormDraft | None:
    """Return the draft to which a form belongs, or None if it is gone or was replaced.

    Each page has the key of its draft. A form that was sent or deleted is not saved again,
    and the values about one person are not saved in the draft about another one.
    """
    key = str(form.get(KEY, ""))
    if not draft.saved_at and NEW in form and KEY_PATTERN.fullmatch(key):
        return FormDraft(values={KEY: [key]})
    return draft if draft.saved_at and key == draft.key else None


async def save_draft(api: ApiClient, form: str, draft: FormDraft) -> FormDraft:
    """Save the values of a draft, and return it with new times. Raises ApiProblem."""
    pairs = draft.form.multi_items()
    values = [{"name": name, "value": text} for name, text in pairs]
    saved = (
        await api.send("PUT", f"form-drafts/{form}", {"values": values}, headers={})
    ).body
    return FormDraft(
        values=draft.values, saved_at=saved["saved_at"], expires_at=saved["expires_at"]
    )


async def delete_draft(api: ApiClient, form: str) -> None:
    """Delete the draft of a form, if there is one. Raises ApiProblem."""
    await api.send("DELETE", f"form-drafts/{form}", headers={})


def compute_digest(draft: FormDraft, fields: Iterable[FormField]) -> str:
    """Return a digest of the key and the values of `fields`, to detect changes."""
    typed = [[one.name, *draft.values.get(one.name, ())] for one in fields]
    return sha256(json.dumps([draft.key, typed]).encode()).hexdigest()


def replace_fields(
    draft: FormDraft, fields: Iterable[FormField], form: FormData
) -> FormDraft:
    """Return a draft with the values of the fields as they were typed in a form."""
    typed = {one.name: read_texts(form, one.name) for one in fields}
    return replace(draft, values={**draft.values, **typed})
