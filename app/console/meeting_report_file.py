"""The report for a meeting as one HTML file, which needs no other file and no network."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from app.console.api_client import Json
from app.console.formats import Formats
from app.console.meeting_report import build_view
from app.console.rendering import STATIC, render_template
from app.console.translations import Texts, load_texts


@dataclass(frozen=True)
class FileReader:
    """The reader of a file, with the texts and formats in the language of the file."""

    texts: Texts
    formats: Formats


def render_file(report: Json, language: str, now: datetime) -> str:
    """Return a meeting report from the API as HTML, in a language of the console."""
    texts = load_texts(language)
    reader = FileReader(texts, Formats(texts.locale, ZoneInfo(str(UTC)), now))
    return render_template(
        "meeting_report_file.html",
        texts,
        report=build_view(reader, report),
        style=Markup((STATIC / "console.css").read_text("utf-8")),  # noqa: S704 - our own
    )
