"""The forms of a page, with the values that a browser would send."""

from html.parser import HTMLParser
from typing import override

type Form = dict[str, list[str]]
type Attributes = list[tuple[str, str | None]]


class FormReader(HTMLParser):
    """A parser that collects the values of each form of a page, by the form's address."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self._form: Form = {}
        self._field = ""

    @override
    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        named = {name: value or "" for name, value in attrs}
        name, value = named.get("name", ""), named.get("value", "")
        boxed = named.get("type") in {"checkbox", "radio"}
        if tag == "form":
            self._form = self.forms.setdefault(named.get("action", ""), {})
        elif tag == "input" and (not boxed or "checked" in named):
            self._form.setdefault(name, []).append(value)
        elif tag in {"select", "textarea"}:
            self._field = name
        elif tag == "option" and "selected" in named:
            self._form.setdefault(self._field, []).append(value)

    @override
    def handle_data(self, data: str) -> None:
        if self.lasttag == "textarea" and self._field:
            self._form.setdefault(self._field, []).append(data)

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in {"select", "textarea"}:
            self._field = ""


def read_form_of(html: str, action: str) -> Form:
    """Return the fields, with values, of the form whose address ends with an action."""
    reader = FormReader()
    reader.feed(html)
    return next(form for path, form in reader.forms.items() if path.endswith(action))
