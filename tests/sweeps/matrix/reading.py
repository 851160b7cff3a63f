"""The parser for the access matrix: relations of accounts and expected responses.

This module does not call the service: the expected responses are written by hand in the
files of this folder. The comment at the top of `answers_of_cases.txt` describes a row.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
ANY: Final = "*"
NOBODIES: Final = frozenset(
    {
        "nobody",
        "unknown",
        "expired",
        "revoked",
        "disabled",
        "unscoped",
        "administrator",
        "analyst",
    }
)
"""Accounts that get the same response at every stage."""


@dataclass(frozen=True)
class Verdict:
    """The expected response: status, access log entries, sealed documents and offices."""

    status: int
    entries: int = 0
    """The number of entries in the access log."""
    sees: frozenset[str] = frozenset()
    """The sealed documents in the response, which contains no others."""
    names: frozenset[str] = frozenset()
    """The offices that this response may name, besides those that `may_know` returns."""


HIDDEN: Final = Verdict(404)
"""The response to accounts that no row names, as if the record did not exist."""


@dataclass(frozen=True)
class Row:
    """A row of the access matrix: an operation, its stages and the expected responses.

    If several responses name an account, the first one of them is expected.
    """

    operation: str
    stages: frozenset[str]
    answers: tuple[tuple[frozenset[str], Verdict], ...]

    def speaks_of(self, stage: str) -> bool:
        return stage in self.stages or ANY in self.stages

    def verdict(self, who: str) -> Verdict | None:
        """Return the response that an account should get, or None if no cell names it."""
        known_as = {who, *list_wildcards(who)}
        return next((said for names, said in self.answers if names & known_as), None)


def list_wildcards(who: str) -> set[str]:
    """Return the wildcards that match an account by its relation or its role."""
    if who in NOBODIES:
        return set()
    part, bar, role = who.partition("/")
    return {f"{part}/*", f"*/{role}", "*/*"} if bar else {"*"}


@dataclass(frozen=True)
class Table:
    """The rows of one file of the access matrix."""

    rows: tuple[Row, ...]

    @property
    def operations(self) -> list[str]:
        """Return the name of every operation that has a row."""
        return list(dict.fromkeys(r.operation for r in self.rows if r.operation != ANY))

    @cached_property
    def by_operation(self) -> Mapping[str, list[Row]]:
        """Return the rows of each operation, in file order."""
        groups: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            groups[row.operation].append(row)
        return groups

    def of(self, operation: str) -> list[Row]:
        """Return the rows of an operation."""
        return self.by_operation.get(operation, [])

    def verdict(self, operation: str, stage: str, who: str) -> Verdict:
        """Return the expected response by a row of the operation, or else a general row.

        If none of these rows names the account, return `HIDDEN`.
        """
        own = [row for row in self.of(operation) if row.speaks_of(stage)]
        assert own, f"The table has no row for {operation} at stage {stage}."
        general = [row for row in self.of(ANY) if row.speaks_of(stage)]
        for row in (own[0], *general):
            if (said := row.verdict(who)) is not None:
                return said
        return HIDDEN


@cache
def table(name: str) -> Table:
    """Return the table in the file of this name."""
    return Table(tuple(rows(read_lines(name))))


def read_lines(name: str) -> list[str]:
    """Return the lines of a file that are neither empty nor comments."""
    text = (HERE / f"{name}.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line.strip() and line[0] != "#"]


def rows(said: list[str]) -> Iterator[Row]:
    """Yield the rows of a file.

    A line that begins with `|` is a row of the same operation as the line above.
    """
    groups: dict[str, str] = {}
    operation = ""
    for line in said:
        if line.startswith("="):
            name, _, words = line.removeprefix("=").partition(":")
            groups[name.strip()] = " ".join(expand_groups(words, groups))
            continue
        names, stages, answers = (cell.strip() for cell in line.split("|"))
        operation = names or operation
        for one in operation.split():
            verdicts = tuple(parse_answers(answers, groups))
            yield Row(one, frozenset(expand_groups(stages, groups)), verdicts)


def parse_answers(
    answers: str, groups: Mapping[str, str]
) -> Iterator[tuple[frozenset[str], Verdict]]:
    """Yield the expected responses in a cell, each after the accounts that get it.

    A cell is, for example, `lead helper: 200+ needs; parties: 404+`.
    """
    for answer in filter(None, (part.strip() for part in answers.split(";"))):
        who, _, what = answer.partition(":")
        status, *words = what.split()
        entries = status.count("+")
        names = frozenset(word[1:] for word in words if word[0] == "@")
        sees = frozenset(word for word in words if word[0] != "@")
        verdict = Verdict(int(status.rstrip("+")), entries, sees, names)
        yield frozenset(expand_groups(who, groups)), verdict


def expand_groups(words: str, groups: Mapping[str, str]) -> list[str]:
    """Return words in which each name of a group is replaced by its members."""
    return " ".join(groups.get(word, word) for word in words.split()).split()


@cache
def casting() -> Mapping[str, Mapping[str, str]]:
    """Return the relation of each office at each stage, read from `stages.txt`."""
    found: dict[str, Mapping[str, str]] = {}
    for line in read_lines("stages"):
        stage, said = (cell.strip() for cell in line.split("|"))
        found[stage] = dict(part.split() for part in said.split(",") if part.strip())
    return found


def relation(stage: str, account: str) -> str:
    """Return an account's relation at a stage and, after a slash, its role, if it has one.

    Return the name of an account in `NOBODIES` unchanged.
    """
    office, bar, role = account.partition("/")
    if office in NOBODIES:
        return account
    return f"{casting()[stage].get(office, 'stranger')}{bar}{role}"


@cache
def names_told() -> Mapping[str, frozenset[str]]:
    """Return the offices that a response may name to each relation (`offices.txt`)."""
    read = (line.split("|") for line in read_lines("offices"))
    return {who.strip(): frozenset(offices.split()) for who, offices in read}


def may_know(who: str, stage: str) -> frozenset[str] | None:
    """Return the offices that may be named to `who`, or None if no row fits `who`."""
    plain = who.partition("/")[0]
    return names_told().get(f"{plain} {stage}", names_told().get(plain))


@cache
def scopes() -> Mapping[str, str]:
    """Return the scope of each operation, as in `scopes.txt`."""
    read = (line.split("|") for line in read_lines("scopes"))
    return {one: scope.strip() for scope, names in read for one in names.split()}
