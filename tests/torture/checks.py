"""Checks that compare the responses that clients got with the database.

Each check yields a message for each fault. No check knows how the run disturbed the
service.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from tests.torture.finished_run import Run
from tests.torture.history import Operation, Outcome
from tests.torture.tables import Line
from tests.torture.walks import can_reach

DECIDED: Final = "approval.decided"
"""The event of the only action without a key, because repeating it changes nothing."""


def find_unanswered(run: Run) -> Iterator[str]:
    """Yield a message for each unanswered operation and for each kind of server error."""
    for operation in run.deeds:
        if operation.outcome == Outcome.UNKNOWN:
            yield f"never answered: {operation.describe()}, after {operation.tries} tries"
    for what, times in run.trouble.items():
        yield f"answered {what}, {times} times"


def find_lost(run: Run) -> Iterator[str]:
    """Yield a message for each acknowledged write that the database lacks or has undone."""
    stored = Counter(map(get_signature, run.list_entries_of_people()))
    acknowledged = Counter(
        what for operation in run.list_acknowledged() for what in list_signatures(operation)
    )
    for what, times in (acknowledged - stored).items():
        yield f"lost: {what[1]} of {what[2]}, acknowledged {times} times, is not stored"
    for operation in run.list_acknowledged():
        subject, version = operation.subject, operation.version
        record = run.tables.records.get(subject or "")
        if record is None:
            yield f"lost: {subject} is not stored, but acknowledged: {operation.describe()}"
        elif version and record.version < version:
            yield f"went back: {subject} is at {record.version}, not {version}"


def find_doubled(run: Run) -> Iterator[str]:
    """Yield a message for each entry that no acknowledged operation explains.

    An example is a second entry for one key. Also yield a message for each record about
    which no account has an entry.
    """
    stored = Counter(map(get_signature, run.list_entries_of_people()))
    acknowledged = Counter(
        what for operation in run.list_acknowledged() for what in list_signatures(operation)
    )
    for what, times in (stored - acknowledged).items():
        yield f"doubled: {what[1]} of {what[2]} is stored {times} times more than answered"
    subjects = {line.subject for line in run.tables.lines if line.account}
    for name in run.tables.records.keys() - subjects:
        yield f"entry missing: no account has an entry about {name}"


def get_signature(line: Line) -> tuple[str | None, str, str | None]:
    """Return the account, the event and the record of an entry."""
    return line.account, line.type, line.subject


def list_signatures(operation: Operation) -> list[tuple[str | None, str, str | None]]:
    """Return the account, the event and the record of each step of an operation."""
    return [
        (operation.account, what, operation.subject)
        for what in (operation.event, *operation.more_events)
    ]


def find_wrong_keys(run: Run) -> Iterator[str]:
    """Yield a message for each wrong idempotency key.

    A key is wrong if it is not stored after a success, if it is stored after a refusal, or
    if its record does not exist.
    """
    kept = {(one.account, one.key): one for one in run.tables.kept}
    ids = {record.id for record in run.tables.records.values()}
    for operation in run.list_acknowledged():
        if (operation.account, operation.key) not in kept and operation.event != DECIDED:
            yield f"key not stored: {operation.describe()}"
    refused = {
        (operation.account, operation.key): operation
        for operation in run.deeds
        if operation.outcome == Outcome.REFUSED and not operation.is_read
    }
    for name in kept.keys() & refused.keys():
        yield f"refused and done: {refused[name].describe()}"
    for one in run.tables.kept:
        if one.record not in ids:
            yield f"record missing: the key {one.key} of {one.account}"


def find_lower_versions(run: Run) -> Iterator[str]:
    """Yield a message for each response whose version is too low.

    A read must not return a lower version than any response about the same record that
    arrived before the request. A write must return a higher version.
    """
    for subject, deeds in group_by_subject(run.deeds).items():
        newest, waiting = 0, sorted(deeds, key=lambda operation: operation.answered)
        for operation in sorted(deeds, key=lambda operation: operation.invoked):
            while waiting and waiting[0].answered <= operation.invoked:
                newest = max(newest, waiting.pop(0).version or 0)
            least = newest + (not operation.is_read)
            if (operation.version or 0) < least:
                yield (
                    f"went back: {operation.event} of {subject} had version "
                    f"{operation.version} after an answer with {newest}"
                )


def find_equal_versions(run: Run) -> Iterator[str]:
    """Yield a message for each version that two writes made.

    Also yield a message for each write that did not increase the version it is based on.
    """
    for subject, deeds in group_by_subject(run.deeds).items():
        first = [
            operation
            for operation in deeds
            if not operation.is_read and not operation.replayed
        ]
        times = Counter(operation.version for operation in first)
        for version, count in times.items():
            if count > 1:
                yield f"lost update: version {version} of {subject} was made {count} times"
        for operation in deeds:
            if (
                not operation.is_read
                and operation.base_version
                and (operation.version or 0) <= operation.base_version
            ):
                old, new = operation.base_version, operation.version
                yield f"went back: {operation.describe()} is based on {old}, returned {new}"


def group_by_subject(deeds: Iterable[Operation]) -> Mapping[str, list[Operation]]:
    """Return the successful operations whose response has a version, by their record."""
    found: dict[str, list[Operation]] = defaultdict(list)
    for operation in deeds:
        if operation.outcome == Outcome.OK and operation.version and operation.subject:
            found[operation.subject].append(operation)
    return found


def find_gaps(run: Run) -> Iterator[str]:
    """Yield a message for each gap in the positions of a feed, and each repeated entry."""
    for reader in run.tables.mail.keys() | run.tables.heads.keys():
        mail = run.tables.mail.get(reader, ())
        positions, head = [position for position, _ in mail], run.tables.heads.get(reader)
        if positions != list(range(1, len(positions) + 1)) or head != len(positions):
            yield f"gap: the mailbox of {reader} has {len(positions)} entries to {head}"
        for entry, count in Counter(entry for _, entry in mail).items():
            if count > 1:
                yield f"doubled: {entry} is {count} times in the mailbox of {reader}"


def find_time_disorder(run: Run) -> Iterator[str]:
    """Yield a message for each feed entry that follows the entry of a later operation."""
    deeds = match_entries(run)
    for reader, mail in run.tables.mail.items():
        latest = 0.0
        for position, entry in mail:
            if (operation := deeds.get(entry)) is not None:
                if operation.answered < latest:
                    yield f"reordered: {position} of {reader} was answered before one ahead"
                latest = max(latest, operation.invoked)


def find_version_disorder(run: Run) -> Iterator[str]:
    """Yield a message for each entry that follows a later version of the same record."""
    deeds = match_entries(run)
    for reader, mail in run.tables.mail.items():
        newest: dict[str | None, int] = {}
        for position, entry in mail:
            operation = deeds.get(entry)
            if operation is None or operation.replayed or not operation.version:
                continue
            if operation.version < newest.get(operation.subject, 0):
                yield f"reordered: {position} of {reader} is of an earlier version"
            newest[operation.subject] = operation.version


def match_entries(run: Run) -> Mapping[str, Operation]:
    """Return the operation that wrote each entry, if only one can have written it."""
    deeds, lines = defaultdict(list), defaultdict(list)
    for operation in run.list_acknowledged():
        for what in list_signatures(operation):
            deeds[what].append(operation)
    for line in run.list_entries_of_people():
        lines[get_signature(line)].append(line)
    return {
        lines[what][0].id: deeds[what][0]
        for what in deeds.keys() & lines.keys()
        if len(deeds[what]) == len(lines[what]) == 1
    }


def find_poller_faults(run: Run) -> Iterator[str]:
    """Yield messages for each poller that did not process each event once and in order."""
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
    """Yield a message for each deadline with a double effect, no effect, or no entry."""
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
    """Yield a message for each record whose state cannot result from its entries."""
    events: dict[str, list[str]] = defaultdict(list)
    for line in run.tables.lines:
        if line.state is not None:
            events[line.subject].append(line.type)
    for name, record in run.tables.records.items():
        noun = name.split("/", maxsplit=1)[0]
        if not can_reach(noun, record.state, events[name]):
            detail = f"which its entries do not lead to: {events[name]}"
            yield f"entry missing: {name} is {record.state}, {detail}"


def find_lost_texts(run: Run) -> Iterator[str]:
    """Yield a message for each stored text that differs from the last acknowledged one."""
    written: dict[str, list[Operation]] = defaultdict(list)
    for operation in run.list_acknowledged():
        if operation.text is not None and operation.subject and operation.base_version:
            written[operation.subject].append(operation)
    for subject, text in run.texts.items():
        if subject in written:
            last = max(written[subject], key=lambda operation: operation.base_version or 0)
            if text != last.text:
                yield f"lost: {subject} has {text!r}, not {last.text!r} ({last.describe()})"


def find_database_faults(run: Run) -> Iterator[str]:
    """Yield the faults that the integrity check of the database reports."""
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


def find_faults(run: Run) -> list[str]:
    """Return the findings of all checks."""
    return [found for check in CHECKS for found in check(run)]
