"""A check that each office's own figures agree with the ledger of a simulation.

The ledger is the list of requests that the service acknowledged. All cases are erased
before the comparison, so the check also shows that an erasure changes no figure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from tests.simulation.partners import Partner
from tests.simulation.world import Deed, Scene
from tests.support.world import Json, unwrap

DECLINES: Final = frozenset(
    {
        "case.lead_declined",
        "referral.declined",
        "referral.redirected",
        "handover.declined",
    }
)
SENT: Final = "referral.sent"
YEAR: Final = timedelta(days=364)

type Cells = Counter[tuple[str, str]]
"""Counts by kind, `declined` or `sent`, and by reason; `sent` has an empty reason."""


def check_own_figures(
    scene: Scene, partners: Mapping[str, Partner], unsure: Iterable[Deed]
) -> None:
    """Check every count of declines and sent referrals of every office.

    A request whose response was lost may have been executed, so it may be counted.
    """
    certain = count_deeds(deed for deed, _, _ in scene.acknowledged.values())
    possible = count_deeds(unsure)
    first = scene.began.date() - timedelta(days=1)
    period = {"from": first.isoformat(), "to": (first + YEAR).isoformat()}
    for office, partner in partners.items():
        shown = count_shown(unwrap(partner.worker.get("/figures/own", **period)))
        least = certain.get(office, Counter())
        most = least + possible.get(office, Counter())
        scene.require(
            least <= shown <= most, f"{office}: figures {shown}, ledger {least} to {most}"
        )


def count_deeds(deeds: Iterable[Deed]) -> dict[str, Cells]:
    """Count the declines and the sent referrals among requests, by office."""
    found: dict[str, Cells] = {}
    for deed in deeds:
        if deed.event in DECLINES:
            cell = ("declined", str(deed.body["reason"]))
        elif deed.event == SENT:
            cell = ("sent", "")
        else:
            continue
        found.setdefault(deed.sender.code, Counter())[cell] += 1
    return found


def count_shown(figures: Json) -> Cells:
    """Return the figures of an office as `Cells`, without zeros."""
    shown: Cells = Counter(
        {("declined", one["reason"]): one["count"] for one in figures["own_declines"]}
    )
    shown["sent", ""] = figures["referrals"]["sent"]
    return +shown
