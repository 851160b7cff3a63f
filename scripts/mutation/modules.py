"""The modules whose mutants must be killed, and the tests of these modules.

The pure tests of `tests/rules` run first. If a mutant survives them, the tests of the other
files that reach it run, the fastest first.
"""

from typing import Final

RULES: Final = "tests/rules/"
_SEALED: Final = (
    *("tests/api/test_sections.py", "tests/api/test_fears.py", "tests/api/test_facts.py"),
    *("tests/api/test_refused_readers.py", "tests/api/test_former_recipients.py"),
    *("tests/api/test_side_of_origin.py", "tests/api/test_vital_readings.py"),
    *("tests/api/test_consents.py", "tests/api/test_handover_readers.py"),
    *("tests/api/test_vital_parts.py", "tests/api/test_daily_cap.py"),
    *("tests/api/test_referral_acts.py", "tests/api/test_names.py"),
    *("tests/api/test_screenings_opened.py", "tests/api/test_return_sides.py"),
    *(
        "tests/api/test_safety.py",
        "tests/api/test_exports.py",
        "tests/api/test_case_acts.py",
    ),
)
_ROUTED: Final = (
    *("tests/api/test_routing.py", "tests/api/test_recipients.py"),
    *("tests/api/test_desks.py", "tests/api/test_case_moves.py"),
    *("tests/api/test_questions.py", "tests/api/test_capacity.py"),
    *("tests/api/test_shortlist.py", "tests/api/test_erasing.py"),
)
_RANKED: Final = (
    *("tests/rules/test_ranking.py", "tests/rules/test_recipients.py"),
    *("tests/rules/test_advice.py", "tests/rules/test_fit.py"),
    "tests/rules/test_ranking_bounds.py",
    "tests/rules/test_routing_properties.py",
)
_CAPPED: Final = "tests/databases/test_approval_races.py"
_ANEW: Final = "tests/databases/test_openings.py"
ON_BOTH: Final = frozenset({"tests/databases/test_idempotency.py", _CAPPED, _ANEW})
"""Tests that run on PostgreSQL too, because only there two requests run concurrently."""
_OF_WHOM: Final = "tests/rules/test_needs_of_whom.py"
_NAMES: Final = "tests/rules/test_event_names.py"
_SCHEMA: Final = ("tests/databases/test_migrations.py", "tests/contract/test_openapi.py")
BESIDE: Final = frozenset(_SCHEMA)
"""Tests that depend on the definitions of a module, but do not reach its lines."""

MODULES: Final[dict[str, tuple[str, ...]]] = {
    "app/kernel/lifecycle.py": (
        *("tests/rules/test_lifecycle_engine.py", "tests/rules/test_case_table.py"),
        *("tests/api/test_case_moves.py", "tests/api/test_problems.py"),
    ),
    "app/kernel/requirements.py": (
        *("tests/rules/test_needs_engine.py", "tests/rules/test_needs.py"),
        *("tests/api/test_case_moves.py", "tests/api/test_referral_moves.py"),
    ),
    "app/kernel/idempotency.py": (
        *("tests/databases/test_idempotency.py", "tests/api/test_submitters.py"),
        *_SCHEMA,
    ),
    "app/kernel/journal.py": (
        *("tests/databases/test_feed.py", "tests/api/test_daily_cap.py"),
        *("tests/api/test_mailboxes.py", "tests/rules/test_epochs.py"),
        *("tests/databases/test_ledger.py", "tests/databases/test_migrations.py"),
    ),
    "app/kernel/paging.py": (
        *("tests/rules/test_paging_cursor.py", "tests/databases/test_feed.py"),
        *("tests/api/test_referral_lists.py", "tests/api/test_problems.py", *_SCHEMA),
    ),
    "app/kernel/vault.py": (
        *("tests/rules/test_vault.py", "tests/rules/test_keyfile.py"),
        *("tests/rules/test_paging_cursor.py", "tests/databases/test_idempotency.py"),
    ),
    "app/cases/lifecycle.py": (
        *("tests/rules/test_case_table.py", _NAMES, "tests/api/test_case_moves.py"),
    ),
    "app/referrals/lifecycle.py": (
        *("tests/rules/test_referral_table.py", _NAMES, "tests/api/test_referral_moves.py"),
    ),
    "app/handovers/lifecycle.py": (
        *("tests/rules/test_handover_table.py", _NAMES, "tests/api/test_handovers.py"),
    ),
    "app/returns/lifecycle.py": (
        *("tests/rules/test_return_table.py", _NAMES, "tests/api/test_returns.py"),
    ),
    "app/casework/needs.py": (
        *("tests/rules/test_needs.py", _OF_WHOM, "tests/api/test_case_moves.py"),
    ),
    "app/referrals/needs.py": (
        *("tests/rules/test_needs.py", _OF_WHOM, "tests/api/test_referral_moves.py"),
    ),
    "app/handovers/needs.py": (
        *(
            "tests/rules/test_handover_needs.py",
            _OF_WHOM,
            "tests/api/test_handover_needs.py",
        ),
    ),
    "app/returns/needs.py": (
        *("tests/rules/test_return_needs.py", _OF_WHOM, "tests/api/test_returns.py"),
    ),
    "app/consents/coverage.py": (
        *("tests/rules/test_coverage.py", "tests/rules/test_coverage_cells.py"),
        *("tests/api/test_consents.py", "tests/contract/test_openapi.py"),
    ),
    "app/consents/standing.py": (
        *("tests/rules/test_standing.py", *_SEALED),
        *("tests/api/test_children.py", "tests/api/test_returns.py"),
        *("tests/api/test_withdrawals.py", "tests/api/test_vital_interest.py"),
    ),
    "app/disclosure/policy.py": (
        "tests/rules/test_policy.py",
        "tests/api/test_sections.py",
    ),
    "app/disclosure/access_log.py": (
        *("tests/api/test_daily_cap.py", "tests/api/test_sections.py", *_SCHEMA),
        _CAPPED,
    ),
    "app/disclosure/actions.py": (
        *_SEALED,
        *("tests/api/test_submitters.py", "tests/api/test_safeguards_history.py"),
        *("tests/api/test_opening_log.py", "tests/api/test_children.py", _ANEW),
        *("tests/api/test_desks.py", "tests/api/test_handovers.py"),
        *("tests/api/test_returns.py", "tests/api/test_return_clocks.py"),
    ),
    "app/disclosure/queries.py": (
        "tests/rules/test_sight.py",
        *(*_SEALED, "tests/api/test_vital_interest.py", "tests/api/test_opening_log.py"),
        *("tests/api/test_handovers.py", "tests/api/test_submitters.py", _ANEW),
    ),
    "app/disclosure/documents.py": (*_SEALED, "tests/api/test_questions.py"),
    "app/disclosure/exporting.py": ("tests/api/test_exports.py",),
    "app/routing/question.py": (*_RANKED, "tests/api/test_routing.py"),
    "app/routing/fit.py": (*_RANKED, *_ROUTED),
    "app/routing/ranking.py": (*_RANKED, *_ROUTED),
    "app/routing/advice.py": (*_RANKED, "tests/api/test_routing.py"),
    "app/routing/actions.py": _ROUTED,
    "app/routing/queries.py": _ROUTED,
}
