"""The protection of rows that an earlier version of the service wrote."""

from app.access.protection import protect_accounts
from app.cases.case_protection import protect_cases
from app.cli.row_protection import protect_directory
from app.kernel.transactions import Runtime


def protect_rows(runtime: Runtime) -> None:
    """Protect the directory, all accounts, persons and cases, as an upgrade does."""
    protect_directory(runtime)
    for _ in (*protect_accounts(runtime), *protect_cases(runtime)):
        pass
