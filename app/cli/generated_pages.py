"""Functions that generate the committed OpenAPI documents and some pages in docs/."""

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from app.api.http import served_contract
from app.api.http.problems import STATUS_DETAILS
from app.api.http.served_contract import encode_document, get_file_name
from app.cases.lifecycle import TABLE as CASE
from app.cli import openapi_editions
from app.cli.policy_tables import (
    render_closure_reasons,
    render_disclosure,
    render_grants,
    render_known_consents,
)
from app.cli.setup_tables import render_office_tasks, render_scopes
from app.feed.event_types import load_facts, load_types
from app.handovers.lifecycle import TABLE as HANDOVER
from app.kernel.file_keys import FileKeys
from app.kernel.lifecycle import AnyOf, Table
from app.kernel.problems import list_problem_kinds
from app.kernel.vault import KEY_BYTES
from app.main import create_app
from app.metrics.counters import NAMESPACE
from app.metrics.gauges import GAUGES
from app.metrics.measurement import Gauge
from app.referrals.lifecycle import TABLE as REFERRAL
from app.returns.lifecycle import TABLE as RETURN
from app.runtime import build_runtime
from app.settings import Settings

ROOT: Final = Path(__file__).parents[2]
COMPRESSED: Final = ".gz"
CONTRACT: Final = "openapi/openapi-3.1.json"
WITHOUT_WEBHOOKS: Final = "openapi/openapi-3.1-client.json"
CONTRACT_3_2: Final = "openapi/openapi-3.2.json"
ABOUT_LIFECYCLES: Final = """
Written by `make docs` from `app/cases/lifecycle.py`, `app/referrals/lifecycle.py`,
`app/handovers/lifecycle.py` and `app/returns/lifecycle.py`. The service enforces these
tables, and `GET /v1/lifecycles` returns them.
""".strip()
ABOUT_PROBLEMS: Final = f"""
Written by `make docs` from the code. Every error is an RFC 9457 problem detail: `type` is
stable, `detail` says what to do, and no input of the caller is repeated. Only
`/v1/oauth/token` answers 400 and 401 as OAuth does (RFC 6749, 5.2). With `Accept-Language`
the title is in Spanish, French, Russian or Uzbek. Errors of HTTP itself
({", ".join(map(str, STATUS_DETAILS))})
have the type `about:blank`: decide by the status. A 404 of
this type means that the path does not exist.
""".strip()

ABOUT_EVENTS: Final = """
Written by `make docs` from `app/feed/data`. `GET /v1/events` returns events with these
types and facts. Types and facts may be added at any time. If you do not know a type, read
the subject of the event, or skip the event. Ignore facts that you do not know.

The subject of an event begins with the word in the column "subject". Each fact can be
absent: it may not apply, or your office may not see it. The journal is never rewritten, so
an event of an earlier version can have facts that are not in these tables.
""".strip()

ABOUT_FACTS: Final = """
A code is a stable word, or the code of a row of the directory. An id is a UUID. A list
contains codes. A reference is a path below `/v1/`.
""".strip()


ABOUT_MEMBERS: Final = (
    "## Members",
    "",
    "These problems have members of their own. Each has a schema in the OpenAPI document,",
    "such as `NeedsUnmetProblem`. A response that can be one of them refers to `anyOf` of",
    "these schemas and `ProblemDetail`, which describes every other problem. Decide by",
    "`type`, and accept types that you do not know.",
    "",
)


def build_contracts() -> dict[str, str]:
    """Return each edition of the OpenAPI document, indented and packaged, by file name."""
    unused = FileKeys({"k1": bytes(range(KEY_BYTES))})
    contract = create_app(build_runtime("sqlite:///never-opened.db", unused)).openapi()
    editions = {
        served_contract.CONTRACT: (CONTRACT, contract),
        served_contract.WITHOUT_WEBHOOKS: (
            WITHOUT_WEBHOOKS,
            openapi_editions.remove_webhooks(contract),
        ),
        served_contract.CONTRACT_3_2: (
            CONTRACT_3_2,
            openapi_editions.convert_to_3_2(contract),
        ),
    }
    files: dict[str, str] = {}
    for path, (name, document) in editions.items():
        files[name] = format_json(document)
        files[get_packaged_name(path)] = json.dumps(
            document, ensure_ascii=False, separators=(",", ":")
        )
    return files


def get_packaged_name(path: str) -> str:
    """Return the name of the file from which the service serves an edition at a path."""
    return f"app/api/pages/{get_file_name(path)}"


def format_json(document: dict[str, Any]) -> str:
    """Return a document as indented JSON."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def render_pages() -> dict[str, str]:
    """Return the generated pages of docs/, by file name."""
    pages = {
        "docs/lifecycles.md": render_lifecycles(),
        "docs/problems.md": render_problems(),
        "docs/events.md": render_events(),
    }
    for page, tables in TABLES.items():
        pages[page] = (ROOT / page).read_text("utf-8")
        for name, render_table in tables.items():
            pages[page] = replace_table(pages[page], name, render_table())
    return pages


def render_lifecycles() -> str:
    """Return the page of life cycles, with tables and diagrams."""
    lines = ["# Life cycles", "", ABOUT_LIFECYCLES, ""]
    for name, table in LIFECYCLES.items():
        lines += [f"## {name}", "", *render_lifecycle(table)]
    return "\n".join(lines)


def render_lifecycle(table: Table) -> list[str]:  # type: ignore[type-arg]  # any life cycle
    """Return the table and diagram of one life cycle."""
    rows = [
        f"| {step.action} | {', '.join(sorted(step.sources)) or '(new)'} "
        f"| {step.target or '(same)'} "
        f"| {', '.join(sorted(step.sides))} | {', '.join(sorted(step.roles))} "
        f"| {', '.join(format_requirement(requirement) for requirement in step.needs)} |"
        for step in table.steps
    ]
    head = ["| action | from | to | side | role | needs |", "|---|---|---|---|---|---|"]
    return [*head, *rows, "", "```mermaid", table.draw(), "```", ""]


def format_requirement(requirement: object) -> str:
    """Return a requirement as text. Alternative requirements are joined by "or"."""
    alternatives = requirement.needs if isinstance(requirement, AnyOf) else (requirement,)
    return " or ".join(map(str, alternatives))


def render_problems() -> str:
    """Return the page that lists all problems."""
    rows = [
        f"| `{kind.uri}` | {kind.status} | {kind.title} |"
        for kind in sorted(list_problem_kinds(), key=lambda kind: kind.code)
    ]
    head = ["# Problems", "", ABOUT_PROBLEMS, "", "| type | status | meaning |"]
    members = ["", *ABOUT_MEMBERS, *render_members(), ""]
    return "\n".join([*head, "|---|---|---|", *rows, *members])


def render_members() -> list[str]:
    """Return the lines of a table of the members that are specific to some problems."""
    rows = [
        f"| `{kind.uri}` | `{field.alias or name}` | {field.description} |"
        for kind in sorted(list_problem_kinds(), key=lambda kind: kind.code)
        if kind.members
        for name, field in kind.members.model_fields.items()
    ]
    return ["| type | member | meaning |", "|---|---|---|", *rows]


def render_events() -> str:
    """Return the page that lists all types of events and their facts."""
    types = [
        f"| `{event.name}` | `{event.subject}` | {event.when} "
        f"| {', '.join(f'`{fact}`' for fact in event.facts)} |"
        for event in load_types()
    ]
    facts = [
        f"| `{fact.name}` | {fact.kind} | {fact.description} |" for fact in load_facts()
    ]
    head = ["# Events", "", ABOUT_EVENTS, "", "| type | subject | when | facts |"]
    page = [*head, "|---|---|---|---|", *types, "", "## Facts", "", ABOUT_FACTS, ""]
    page += ["| fact | value | meaning |", "|---|---|---|", *facts]
    return "\n".join([*page, ""])


def replace_table(page: str, name: str, lines: list[str]) -> str:
    """Return a page with the given lines between the two comments that enclose a table."""
    begin, end = f"<!-- {name}: ", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    note, _, rest = rest.partition("\n")
    after = rest.partition(end)[2]
    return "\n".join([f"{before}{begin}{note}", "", *lines, "", f"{end}{after}"])


def render_gauges() -> list[str]:
    """Return the lines of a table of the gauges, with their limits and remedies."""
    rows = [
        f"| `{format_gauge_name(gauge)}` | {gauge.about} "
        f"| {'' if gauge.limit is None else f'{gauge.limit:g}'} | {gauge.remedy} |"
        for gauge in GAUGES
    ]
    head = ["| gauge | meaning | too high above | what to do |", "|---|---|---|---|"]
    return [*head, *rows]


def format_gauge_name(gauge: Gauge[Any]) -> str:
    """Return the name of a gauge in Prometheus, followed by the label if there is one."""
    return f"{NAMESPACE}_{gauge.name}" + (f"{{{gauge.label}}}" if gauge.label else "")


def render_settings() -> list[str]:
    """Return the lines of a table of the settings, with their defaults and limits."""
    rows = [
        f"| `SAFE_CONDUCT_{name.upper()}` | {format_default(field.default)} "
        f"| {format_limits(field)} | {' '.join((field.description or '').split())} |"
        for name, field in Settings.model_fields.items()
    ]
    head = ["| setting | default | allowed | meaning |", "|---|---|---|---|"]
    return [*head, *rows]


def format_limits(field: FieldInfo) -> str:
    """Return the limits of a setting as text, or an empty string if there are none."""
    least = [one.ge for one in field.metadata if hasattr(one, "ge")]
    most = [one.le for one in field.metadata if hasattr(one, "le")]
    return " to ".join(str(one) for one in (*least, *most))


def format_default(value: object) -> str:
    """Return the default of a setting as text, or an empty string if there is none."""
    return "" if value in {None, ""} else f"`{value}`"


LIFECYCLES: Final[Mapping[str, Table[Any, Any, Any]]] = {
    "Case": CASE,
    "Referral": REFERRAL,
    "Handover": HANDOVER,
    "Return": RETURN,
}
TABLES: Final[Mapping[str, Mapping[str, Callable[[], list[str]]]]] = {
    "docs/operations.md": {"settings": render_settings, "gauges": render_gauges},
    "docs/privacy.md": {
        "who reads what": render_disclosure,
        "grants": render_grants,
        "consents that count": render_known_consents,
    },
    "docs/mechanism.md": {"closure reasons": render_closure_reasons},
    "docs/setup.md": {"tasks": render_office_tasks, "scopes": render_scopes},
}
"""The functions that render tables, by page and by the name of the table."""


def find_stale(pages: dict[str, str], *, write: bool) -> list[str]:
    """Return the names of the stale pages. If `write` is set, also write these pages."""
    different = [
        name
        for name, text in pages.items()
        if not (ROOT / name).is_file() or read_page(ROOT / name) != text
    ]
    for name in different if write else []:
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_bytes(encode_page(name, pages[name]))
    return different


def read_page(path: Path) -> str:
    """Return the text of a committed page. A compressed page is decompressed."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == COMPRESSED else data).decode()


def encode_page(name: str, text: str) -> bytes:
    """Return a page as bytes, compressed if the file name ends with `.gz`."""
    return encode_document(text) if name.endswith(COMPRESSED) else text.encode()
