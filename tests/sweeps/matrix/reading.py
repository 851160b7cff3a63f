"""The tables of the matrix, as they are written: who is what, and who is answered what.

Nothing here asks the service: what is expected is what is written, by hand, in the files
beside this one. `answers_of_cases.txt` says at its head how a row is written.
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
        *("nobody", "unknown", "expired", "revoked", "disabled", "unscoped"),
        *("administrator", "analyst"),
    }
)
"""Who is the same to everything."""


@dataclass(frozen=True)
class Verdict:
    """What somebody is answered, and what comes of it."""

    status: int
    entries: int = 0
    """How many entries of access it leaves."""
    sees: frozenset[str] = frozenset()
    """Which of the sealed texts are in it, and no other."""
    names: frozenset[str] = frozenset()
    """Which offices may be named in it, beside those that one may know anyway."""


HIDDEN: Final = Verdict(404)
"""Who is not named in a row is answered as if there were nothing."""


@dataclass(frozen=True)
class Row:
    """One operation, at some stages: who is answered what, the first that fits."""

    operation: str
    stages: frozenset[str]
    answers: tuple[tuple[frozenset[str], Verdict], ...]

    def speaks_of(self, stage: str) -> bool:
        return stage in self.stages or ANY in self.stages

    def verdict(self, who: str) -> Verdict | None:
        """Say what somebody is answered; None: this row does not say."""
        known_as = {who, *alike(who)}
        return next((said for names, said in self.answers if names & known_as), None)


def alike(who: str) -> set[str]:
    """Spell more widely who it is: anybody, anybody of that part or with that role."""
    if who in NOBODIES:
        return set()
    part, bar, role = who.partition("/")
    return {f"{part}/*", f"*/{role}", "*/*"} if bar else {"*"}


@dataclass(frozen=True)
class Table:
    """The rows of one file."""

    rows: tuple[Row, ...]

    @property
    def operations(self) -> list[str]:
        """Name every operation that has a row of its own, and the parts of some, once."""
        return list(dict.fromkeys(r.operation for r in self.rows if r.operation != ANY))

    @cached_property
    def by_operation(self) -> Mapping[str, list[Row]]:
        """Group the rows, in their order."""
        groups: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            groups[row.operation].append(row)
        return groups

    def of(self, operation: str) -> list[Row]:
        """Return the rows of an operation."""
        return self.by_operation.get(operation, [])

    def verdict(self, operation: str, stage: str, who: str) -> Verdict:
        """Say what is expected: by its own first row that fits, else by what is general."""
        own = [row for row in self.of(operation) if row.speaks_of(stage)]
        assert own, f"No row says what {operation} answers while it is {stage}."
        general = [row for row in self.of(ANY) if row.speaks_of(stage)]
        for row in (own[0], *general):
            if (said := row.verdict(who)) is not None:
                return said
        return HIDDEN


@cache
def table(name: str) -> Table:
    """Read a file of rows."""
    return Table(tuple(rows(lines(name))))


def lines(name: str) -> list[str]:
    """Read the lines that say something."""
    text = (HERE / f"{name}.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line.strip() and line[0] != "#"]


def rows(said: list[str]) -> Iterator[Row]:
    """Read rows; a line that begins with a bar is of the operation above it."""
    groups: dict[str, str] = {}
    operation = ""
    for line in said:
        if line.startswith("="):
            name, _, words = line.removeprefix("=").partition(":")
            groups[name.strip()] = " ".join(spelled(words, groups))
            continue
        names, stages, answers = (cell.strip() for cell in line.split("|"))
        operation = names or operation
        for one in operation.split():
            told = tuple(clauses(answers, groups))
            yield Row(one, frozenset(spelled(stages, groups)), told)


def clauses(
    answers: str, groups: Mapping[str, str]
) -> Iterator[tuple[frozenset[str], Verdict]]:
    """Read who is answered what: `lead helper: 200+ needs; parties: 404+`."""
    for answer in filter(None, (part.strip() for part in answers.split(";"))):
        who, _, what = answer.partition(":")
        status, *words = what.split()
        entries = status.count("+")
        names = frozenset(word[1:] for word in words if word[0] == "@")
        sees = frozenset(word for word in words if word[0] != "@")
        verdict = Verdict(int(status.rstrip("+")), entries, sees, names)
        yield frozenset(spelled(who, groups)), verdict


def spelled(words: str, groups: Mapping[str, str]) -> list[str]:
    """Spell out the names of groups."""
    return " ".join(groups.get(word, word) for word in words.split()).split()


@cache
def casting() -> Mapping[str, Mapping[str, str]]:
    """Read what each office is to each stage: `stages.txt`."""
    found: dict[str, Mapping[str, str]] = {}
    for line in lines("stages"):
        stage, said = (cell.strip() for cell in line.split("|"))
        found[stage] = dict(part.split() for part in said.split(",") if part.strip())
    return found


def relation(stage: str, account: str) -> str:
    """Say what an account is to a stage; with a bar, with which one role."""
    office, bar, role = account.partition("/")
    if office in NOBODIES:
        return account
    return f"{casting()[stage].get(office, 'stranger')}{bar}{role}"


@cache
def names_told() -> Mapping[str, frozenset[str]]:
    """Read which offices each relation may come to know of: `offices.txt`."""
    read = (line.split("|") for line in lines("offices"))
    return {who.strip(): frozenset(offices.split()) for who, offices in read}


def may_know(who: str, stage: str) -> frozenset[str] | None:
    """Say which offices somebody may come to know of; None: nobody said."""
    plain = who.partition("/")[0]
    return names_told().get(f"{plain} {stage}", names_told().get(plain))


@cache
def scopes() -> Mapping[str, str]:
    """Read which scope each operation takes: `scopes.txt`."""
    read = (line.split("|") for line in lines("scopes"))
    return {one: scope.strip() for scope, names in read for one in names.split()}
