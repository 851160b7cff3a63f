"""Checks that compare the answers to clients with the database.

Each check yields a sentence for each fault. No check knows what the run did to the service.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.torture.history import Deed, Outcome
from tests.torture.tables import Line, Tables
from tests.torture.walks import walks

DECIDED: Final = "approval.decided"
"""The only action without an idempotency key: a repeated decision changes nothing."""


@dataclass
class Run:
    """The operations of clients, the database, and the events that pollers processed."""

    deeds: Sequence[Deed] = ()
    tables: Tables = field(default_factory=Tables)
    inboxes: Sequence[tuple[str, Sequence[str]]] = ()
    """The owner of each feed, and the ids of its events."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The text of each case at the end."""
    trouble: Mapping[str, int] = field(default_factory=dict)

    def list_acknowledged(self) -> list[Deed]:
        """Return the operations that were acknowledged."""
        return [deed for deed in self.deeds if deed.is_done]

    def list_entries_of_people(self) -> list[Line]:
        """Return the entries of the clients' own actions."""
        events = {what for deed in self.deeds for what in (deed.what, *deed.also)}
        accounts = {deed.account for deed in self.deeds}
        return [
            line
            for line in self.tables.lines
            if line.type in events and line.account in accounts
        ]


def find_unanswered(run: Run) -> Iterator[str]:
    """Yield operations without an answer, and answers that are server errors."""
    for deed in run.deeds:
        if deed.outcome == Outcome.UNKNOWN:
            yield f"never answered: {deed.describe()}, after {deed.tries} tries"
    for what, times in run.trouble.items():
        yield f"answered {what}, {times} times"


def find_lost(run: Run) -> Iterator[str]:
    """Yield acknowledged operations that are not in the database."""
    stored = Counter(map(get_signature, run.list_entries_of_people()))
    acknowledged = Counter(
        what for deed in run.list_acknowledged() for what in list_signatures(deed)
    )
    for what, times in (acknowledged - stored).items():
        yield f"lost: {what[1]} of {what[2]}, acknowledged {times} times, is not stored"
    for deed in run.list_acknowledged():
        record = run.tables.records.get(deed.subject or "")
        if record is None:
            yield f"lost: {deed.subject} is not stored, but acknowledged: {deed.describe()}"
        elif deed.version and record.version < deed.version:
            yield f"went back: {deed.subject} is at {record.version}, not {deed.version}"


def find_doubled(run: Run) -> Iterator[str]:
    """Yield effects that no answer accounts for, such as two effects of one key."""
    stored = Counter(map(get_signature, run.list_entries_of_people()))
    acknowledged = Counter(
        what for deed in run.list_acknowledged() for what in list_signatures(deed)
    )
    for what, times in (stored - acknowledged).items():
        yield f"doubled: {what[1]} of {what[2]} is stored {times} times more than answered"
    subjects = {line.subject for line in run.tables.lines if line.account}
    for name in run.tables.records.keys() - subjects:
        yield f"entry missing: no account has an entry about {name}"


def get_signature(line: Line) -> tuple[str | None, str, str | None]:
    """Return the account, the event and the record of an entry."""
    return line.account, line.type, line.subject


def list_signatures(deed: Deed) -> list[tuple[str | None, str, str | None]]:
    """Return the account, the event and the record of each step of an operation."""
    return [(deed.account, what, deed.subject) for what in (deed.what, *deed.also)]


def find_wrong_keys(run: Run) -> Iterator[str]:
    """Yield missing keys of acknowledged operations, and stored keys of refused ones."""
    kept = {(one.account, one.key): one for one in run.tables.kept}
    ids = {record.id for record in run.tables.records.values()}
    for deed in run.list_acknowledged():
        if (deed.account, deed.key) not in kept and deed.what != DECIDED:
            yield f"key not stored: {deed.describe()}"
    refused = {
        (deed.account, deed.key): deed
        for deed in run.deeds
        if deed.outcome == Outcome.REFUSED and not deed.is_read
    }
    for name in kept.keys() & refused.keys():
        yield f"refused and done: {refused[name].describe()}"
    for one in run.tables.kept:
        if one.record not in ids:
            yield f"record missing: the key {one.key} of {one.account}"


def find_lower_versions(run: Run) -> Iterator[str]:
    """Yield answers with a lower version than an earlier answer had."""
    for subject, deeds in group_by_subject(run.deeds).items():
        newest, waiting = 0, sorted(deeds, key=lambda deed: deed.answered)
        for deed in sorted(deeds, key=lambda deed: deed.invoked):
            while waiting and waiting[0].answered <= deed.invoked:
                newest = max(newest, waiting.pop(0).version or 0)
            least = newest + (not deed.is_read)
            if (deed.version or 0) < least:
                yield (
                    f"went back: {deed.what} of {subject} had version {deed.version} "
                    f"after an answer with {newest}"
                )


def find_equal_versions(run: Run) -> Iterator[str]:
    """Yield actions that did not increase the version they were based on."""
    for subject, deeds in group_by_subject(run.deeds).items():
        first = [deed for deed in deeds if not deed.is_read and not deed.replayed]
        times = Counter(deed.version for deed in first)
        for version, count in times.items():
            if count > 1:
                yield f"lost update: version {version} of {subject} was made {count} times"
        for deed in deeds:
            if not deed.is_read and deed.seen and (deed.version or 0) <= deed.seen:
                versions = f"is based on {deed.seen}, returned {deed.version}"
                yield f"went back: {deed.describe()} {versions}"


def group_by_subject(deeds: Iterable[Deed]) -> Mapping[str, list[Deed]]:
    """Return the answers that have a version, by record."""
    found: dict[str, list[Deed]] = defaultdict(list)
    for deed in deeds:
        if deed.outcome == Outcome.OK and deed.version and deed.subject:
            found[deed.subject].append(deed)
    return found


def find_gaps(run: Run) -> Iterator[str]:
    """Yield mailboxes whose positions are not 1, 2, 3 up to the head, each entry once."""
    for reader in run.tables.mail.keys() | run.tables.heads.keys():
        mail = run.tables.mail.get(reader, ())
        positions, head = [position for position, _ in mail], run.tables.heads.get(reader)
        if positions != list(range(1, len(positions) + 1)) or head != len(positions):
            yield f"gap: the mailbox of {reader} has {len(positions)} entries to {head}"
        for entry, count in Counter(entry for _, entry in mail).items():
            if count > 1:
                yield f"doubled: {entry} is {count} times in the mailbox of {reader}"


def find_time_disorder(run: Run) -> Iterator[str]:
    """Yield entries that follow the entry of a later operation in a mailbox."""
    deeds = match_entries(run)
    for reader, mail in run.tables.mail.items():
        latest = 0.0
        for position, entry in mail:
            if (deed := deeds.get(entry)) is not None:
                if deed.answered < latest:
                    yield f"reordered: {position} of {reader} was answered before one ahead"
                latest = max(latest, deed.invoked)


def find_version_disorder(run: Run) -> Iterator[str]:
    """Yield entries that follow the entry of a later version in a mailbox."""
    deeds = match_entries(run)
    for reader, mail in run.tables.mail.items():
        newest: dict[str | None, int] = {}
        for position, entry in mail:
            deed = deeds.get(entry)
            if deed is None or deed.replayed or not deed.version:
                continue
            if deed.version < newest.get(deed.subject, 0):
                yield f"reordered: {position} of {reader} is of an earlier version"
            newest[deed.subject] = deed.version


def match_entries(run: Run) -> Mapping[str, Deed]:
    """Return the operation of each entry that only one operation can have written."""
    deeds, lines = defaultdict(list), defaultdict(list)
    for deed in run.list_acknowledged():
        for what in list_signatures(deed):
            deeds[what].append(deed)
    for line in run.list_entries_of_people():
        lines[get_signature(line)].append(line)
    return {
        lines[what][0].id: deeds[what][0]
        for what in deeds.keys() & lines.keys()
        if len(deeds[what]) == len(lines[what]) == 1
    }


def find_poller_faults(run: Run) -> Iterator[str]:
    """Yield pollers that did not process each event once, in order."""
    for reader, processed in run.inboxes:
        due = [entry for _, entry in run.tables.mail.get(reader, ())]
        missed, doubled = set(due) - set(processed), len(processed) - len(set(processed))
        if missed:
            yield f"a poller of {reader} missed {len(missed)} of {len(due)} events"
        if doubled:
            yield f"a poller of {reader} processed {doubled} events more than once"
        if not missed and not doubled and list(processed) != due:
            yield f"a poller of {reader} processed events in another order, or other events"


def find_deadline_faults(run: Run) -> Iterator[str]:
    """Yield deadlines that were missed twice in a generation, or without an entry."""
    for name, count in Counter(
        (one.clock, one.generation) for one in run.tables.fired
    ).items():
        if count > 1:
            yield f"fired {count} times: clock {name[0]}"
    due = Counter((one.case, one.event) for one in run.tables.fired if one.event)
    entries = Counter((line.case, line.type) for line in run.tables.lines if line.clock)
    for case, event in due - entries:
        yield f"an effect without its entry: {event} of case {case} is missing"
    for case, event in entries - due:
        yield f"an entry without its effect: {event} of case {case}"


def find_wrong_states(run: Run) -> Iterator[str]:
    """Yield records whose entries do not lead to their state by the table."""
    events: dict[str, list[str]] = defaultdict(list)
    for line in run.tables.lines:
        if line.state is not None:
            events[line.subject].append(line.type)
    for name, record in run.tables.records.items():
        noun = name.split("/", maxsplit=1)[0]
        if not walks(noun, record.state, events[name]):
            detail = f"which its entries do not lead to: {events[name]}"
            yield f"entry missing: {name} is {record.state}, {detail}"


def find_lost_texts(run: Run) -> Iterator[str]:
    """Yield texts that are not the last acknowledged ones."""
    written: dict[str, list[Deed]] = defaultdict(list)
    for deed in run.list_acknowledged():
        if deed.says is not None and deed.subject and deed.seen:
            written[deed.subject].append(deed)
    for subject, text in run.texts.items():
        if subject in written:
            last = max(written[subject], key=lambda deed: deed.seen or 0)
            if text != last.says:
                yield f"lost: {subject} has {text!r}, not {last.says!r} ({last.describe()})"


def find_database_faults(run: Run) -> Iterator[str]:
    """Yield what the database reports as broken."""
    yield from run.tables.broken


CHECKS: Final[tuple[Callable[[Run], Iterator[str]], ...]] = (
    find_unanswered,
    find_lost,
    find_doubled,
    find_wrong_keys,
    find_lower_versions,
    find_equal_versions,
    find_gaps,
    find_time_disorder,
    find_version_disorder,
    find_poller_faults,
    find_deadline_faults,
    find_wrong_states,
    find_lost_texts,
    find_database_faults,
)


def findings(run: Run) -> list[str]:
    """Return all faults."""
    return [found for check in CHECKS for found in check(run)]
