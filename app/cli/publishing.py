"""What is generated from the code and committed: openapi/ and pages of docs/."""

import gzip
import json
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from app.api.contract import FILE, pack
from app.api.problems import PLAINLY
from app.cases.lifecycle import TABLE as CASE
from app.cli import editions
from app.cli.explaining import (
    closure_reasons,
    disclosure,
    grants,
    known_consents,
)
from app.ground import lay_ground
from app.handovers.lifecycle import TABLE as HANDOVER
from app.kernel.keyfile import FileKeys
from app.kernel.lifecycle import AnyOf, Table
from app.kernel.problems import Problem
from app.kernel.vault import KEY_BYTES
from app.main import create_app
from app.metrics.counters import NAMESPACE
from app.metrics.gauges import GAUGES
from app.metrics.measuring import Gauge
from app.referrals.lifecycle import TABLE as REFERRAL
from app.returns.lifecycle import TABLE as RETURN
from app.settings import Settings

ROOT: Final = Path(__file__).parents[2]
COMPRESSED: Final = ".gz"
SERVED: Final = f"app/api/pages/{FILE}"
CONTRACT: Final = "openapi/openapi-3.1.json"
WITHOUT_WEBHOOKS: Final = "openapi/openapi-3.1-client.json"
CONTRACT_3_2: Final = "openapi/openapi-3.2.json"
LIFECYCLES: Final = "docs/lifecycles.md"
PROBLEMS: Final = "docs/problems.md"
OPERATIONS: Final = "docs/operations.md"
PRIVACY: Final = "docs/privacy.md"
MECHANISM: Final = "docs/mechanism.md"
BEGIN: Final = "<!-- settings: written by `make docs` from app/settings.py -->"
END: Final = "<!-- end of settings -->"
BEGIN_GAUGES: Final = "<!-- gauges: written by `make docs` from app/metrics/gauges.py -->"
END_GAUGES: Final = "<!-- end of gauges -->"
BEGIN_POLICY: Final = (
    "<!-- who reads what: written by `make docs` from app/disclosure/policy.py -->"
)
BEGIN_GRANTS: Final = "<!-- grants: written by `make docs` from app/cases/grants.py -->"
END_GRANTS: Final = "<!-- end of grants -->"
BEGIN_KNOWN: Final = (
    "<!-- consents that count: written by `make docs` from app/cli/explaining.py -->"
)
END_KNOWN: Final = "<!-- end of consents that count -->"
END_POLICY: Final = "<!-- end of who reads what -->"
BEGIN_CLOSURES: Final = (
    "<!-- closure reasons: written by make docs from app/cases/reasons.py -->"
)
END_CLOSURES: Final = "<!-- end of closure reasons -->"
ABOUT_LIFECYCLES: Final = """
Written by `make docs` from `app/cases/lifecycle.py`, `app/referrals/lifecycle.py`,
`app/handovers/lifecycle.py` and `app/returns/lifecycle.py`; the service enforces these
very tables, and `GET /v1/lifecycles` answers with them.
""".strip()
ABOUT_PROBLEMS: Final = f"""
Written by `make docs` from the code. Every error is an RFC 9457 problem detail: `type` is
stable, `detail` says what to do, and nothing a caller sent is repeated. Only
`/v1/oauth/token` answers 400 and 401 as OAuth does (RFC 6749, 5.2). Who asks for it
(`Accept-Language`) reads the title in Spanish, French or Russian. What HTTP itself has a
word for ({", ".join(map(str, PLAINLY))}) has the type `about:blank`: decide by the status
there; a 404 that is called so is of a path that does not exist.
""".strip()


def contracts() -> dict[str, str]:
    """Write the OpenAPI document of this code, and its other editions."""
    unused = FileKeys({"k1": bytes(range(KEY_BYTES))})
    document = create_app(lay_ground("sqlite:///never-opened.db", unused)).openapi()
    return {
        CONTRACT: spelled(document),
        SERVED: json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        WITHOUT_WEBHOOKS: spelled(editions.without_webhooks(document)),
        CONTRACT_3_2: spelled(editions.in_3_2(document)),
    }


def spelled(document: dict[str, Any]) -> str:
    """Spell a document as it is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def lifecycles() -> str:
    """Write the life cycles as tables and diagrams."""
    return "\n".join(
        [
            "# Life cycles",
            "",
            ABOUT_LIFECYCLES,
            "",
            "## Case",
            "",
            *page(CASE),
            "## Referral",
            "",
            *page(REFERRAL),
            "## Handover",
            "",
            *page(HANDOVER),
            "## Return",
            "",
            *page(RETURN),
        ]
    )


def page(table: Table) -> list[str]:  # type: ignore[type-arg]  # any life cycle
    """Write one life cycle."""
    rows = [
        f"| {step.action} | {', '.join(sorted(step.sources)) or '(new)'} "
        f"| {step.target or '(same)'} "
        f"| {', '.join(sorted(step.sides))} | {', '.join(sorted(step.roles))} "
        f"| {', '.join(spell(need) for need in step.needs)} |"
        for step in table.steps
    ]
    head = ["| action | from | to | side | role | needs |", "|---|---|---|---|---|---|"]
    return [*head, *rows, "", "```mermaid", table.draw(), "```", ""]


def spell(need: object) -> str:
    """Write a need, or the needs of which one is enough."""
    return " or ".join(need.needs) if isinstance(need, AnyOf) else str(need)


def problems() -> str:
    """Write every problem a caller can meet."""
    rows = [
        f"| `/problems/{kind.code}` | {kind.status} | {kind.title} |"
        for kind in sorted(kinds(Problem), key=lambda kind: kind.code)
    ]
    return "\n".join(
        [
            "# Problems",
            "",
            ABOUT_PROBLEMS,
            "",
            "| type | status | what it means |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def operations() -> str:
    """Write settings and gauges into the page for whoever runs the service."""
    text = (ROOT / OPERATIONS).read_text("utf-8")
    text = written(text, BEGIN, settings(), END)
    return written(text, BEGIN_GAUGES, gauges(), END_GAUGES)


def privacy() -> str:
    """Write who opens and writes what into the page for lawyers and officers."""
    text = (ROOT / PRIVACY).read_text("utf-8")
    text = written(text, BEGIN_POLICY, disclosure(), END_POLICY)
    text = written(text, BEGIN_GRANTS, grants(), END_GRANTS)
    return written(text, BEGIN_KNOWN, known_consents(), END_KNOWN)


def mechanism() -> str:
    """Write the closure reasons into the page about the mechanism."""
    text = (ROOT / MECHANISM).read_text("utf-8")
    return written(text, BEGIN_CLOSURES, closure_reasons(), END_CLOSURES)


def written(text: str, begin: str, lines: list[str], end: str) -> str:
    """Put lines between two marks of a page."""
    before, _, rest = text.partition(begin)
    return "\n".join([before + begin, "", *lines, "", end + rest.partition(end)[2]])


def gauges() -> list[str]:
    """Write each gauge, from which value on somebody has to look, and at what."""
    rows = [
        f"| `{name_of(gauge)}` | {gauge.about} "
        f"| {'' if gauge.limit is None else f'{gauge.limit:g}'} | {gauge.remedy} |"
        for gauge in GAUGES
    ]
    head = ["| gauge | what it is | too much above | what to do |", "|---|---|---|---|"]
    return [*head, *rows]


def name_of(gauge: Gauge[Any]) -> str:
    """Name a gauge with its label, as Prometheus shows it."""
    return f"{NAMESPACE}_{gauge.name}" + (f"{{{gauge.label}}}" if gauge.label else "")


def settings() -> list[str]:
    """Write each setting with its default, and the least and greatest value it takes."""
    rows = [
        f"| `SAFE_CONDUCT_{name.upper()}` | {spell_default(field.default)} "
        f"| {spell_limits(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    head = ["| setting | default | allowed | what it is |", "|---|---|---|---|"]
    return [*head, *rows]


def spell_limits(field: FieldInfo) -> str:
    """Return the limits of a number as text; empty if it has none."""
    least = [one.ge for one in field.metadata if hasattr(one, "ge")]
    most = [one.le for one in field.metadata if hasattr(one, "le")]
    return " to ".join(str(one) for one in (*least, *most))


def spell_default(value: object) -> str:
    """Spell what a setting is if nobody sets it."""
    return "" if value in {None, ""} else f"`{value}`"


def kinds(parent: type[Problem]) -> set[type[Problem]]:
    """Find every kind of problem."""
    found = set(parent.__subclasses__())
    return found.union(*(kinds(kind) for kind in found))


def stale(pages: dict[str, str], *, write: bool) -> list[str]:
    """Name the committed pages that differ from the code, having mended them if asked."""
    different = [
        name
        for name, text in pages.items()
        if not (ROOT / name).is_file() or read_page(ROOT / name) != text
    ]
    for name in different if write else []:
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_bytes(page_bytes(name, pages[name]))
    return different


def read_page(path: Path) -> str:
    """Read a committed page; what is compressed is compared by what it says."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == COMPRESSED else data).decode()


def page_bytes(name: str, text: str) -> bytes:
    """Return the bytes of a page as it is committed."""
    return pack(text) if name.endswith(COMPRESSED) else text.encode()
