"""What must hold between what clients were told and what is there: values in, findings out.

Each check yields a sentence for everything that is wrong. None knows how it came about.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.torture.history import Deed, Outcome
from tests.torture.tables import Line, Tables
from tests.torture.walks import walks

DECIDED: Final = "approval.decided"
"""Takes no key: the same answer again changes nothing."""


@dataclass
class Run:
    """What was said and what is there; `inboxes` is what pollers dealt with, in order."""

    deeds: Sequence[Deed] = ()
    tables: Tables = field(default_factory=Tables)
    inboxes: Sequence[tuple[str, Sequence[str]]] = ()
    """Whose feed, and the ids of its events."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """What somebody reads in a case in the end."""
    trouble: Mapping[str, int] = field(default_factory=dict)

    def acknowledged(self) -> list[Deed]:
        """List what was said to be done."""
        return [deed for deed in self.deeds if deed.is_done]

    def of_people(self) -> list[Line]:
        """List the entries of what clients ask for, by whom they ask for it."""
        asked = {what for deed in self.deeds for what in (deed.what, *deed.also)}
        who = {deed.account for deed in self.deeds}
        return [
            line for line in self.tables.lines if line.type in asked and line.account in who
        ]


def everything_is_answered(run: Run) -> Iterator[str]:
    """Find what no client ever knew of, and answers that own up to a fault."""
    for deed in run.deeds:
        if deed.outcome == Outcome.UNKNOWN:
            yield f"never answered: {deed.told()}, after {deed.tries} tries"
    for what, times in run.trouble.items():
        yield f"answered {what}, {times} times"


def nothing_is_lost(run: Run) -> Iterator[str]:
    """Find what was acknowledged and is not there."""
    there = Counter(map(signature, run.of_people()))
    said = Counter(what for deed in run.acknowledged() for what in wanted(deed))
    for what, times in (said - there).items():
        yield f"lost: {what[1]} of {what[2]}, acknowledged {times} times, is not there"
    for deed in run.acknowledged():
        record = run.tables.records.get(deed.subject or "")
        if record is None:
            yield f"lost: {deed.subject} is not there, but {deed.told()} was acknowledged"
        elif deed.version and record.version < deed.version:
            yield f"went back: {deed.subject} is at {record.version}, not {deed.version}"


def nothing_is_done_twice(run: Run) -> Iterator[str]:
    """Find what is there and nobody was told of: then a key had two effects."""
    there = Counter(map(signature, run.of_people()))
    said = Counter(what for deed in run.acknowledged() for what in wanted(deed))
    for what, times in (there - said).items():
        yield f"doubled: {what[1]} of {what[2]} is there {times} times more than was said"
    subjects = {line.subject for line in run.tables.lines if line.account}
    for name in run.tables.records.keys() - subjects:
        yield f"from nowhere: {name} is in no entry of anybody"


def signature(line: Line) -> tuple[str | None, str, str | None]:
    """Say who did what to which record."""
    return line.account, line.type, line.subject


def wanted(deed: Deed) -> list[tuple[str | None, str, str | None]]:
    """Say the same of what was asked for."""
    return [(deed.account, what, deed.subject) for what in (deed.what, *deed.also)]


def keys_are_kept(run: Run) -> Iterator[str]:
    """Find keys that are not kept though their request was carried out, or that are."""
    kept = {(one.account, one.key): one for one in run.tables.kept}
    ids = {record.id for record in run.tables.records.values()}
    for deed in run.acknowledged():
        if (deed.account, deed.key) not in kept and deed.what != DECIDED:
            yield f"forgotten: the key of {deed.told()}"
    refused = {
        (deed.account, deed.key): deed
        for deed in run.deeds
        if deed.outcome == Outcome.REFUSED and not deed.is_read
    }
    for name in kept.keys() & refused.keys():
        yield f"refused and done: {refused[name].told()}"
    for one in run.tables.kept:
        if one.record not in ids:
            yield f"without its record: the key {one.key} of {one.account}"


def versions_follow_time(run: Run) -> Iterator[str]:
    """Find what was invoked after an answer, and saw less than that answer told."""
    for subject, deeds in by_subject(run.deeds).items():
        newest, waiting = 0, sorted(deeds, key=lambda deed: deed.answered)
        for deed in sorted(deeds, key=lambda deed: deed.invoked):
            while waiting and waiting[0].answered <= deed.invoked:
                newest = max(newest, waiting.pop(0).version or 0)
            least = newest + (not deed.is_read)
            if (deed.version or 0) < least:
                yield (
                    f"went back: {deed.what} of {subject} was told {deed.version} "
                    f"after somebody was told {newest}"
                )


def no_version_is_given_twice(run: Run) -> Iterator[str]:
    """Find acts that made no version of their own, beyond the one that they rest on."""
    for subject, deeds in by_subject(run.deeds).items():
        first = [deed for deed in deeds if not deed.is_read and not deed.replayed]
        times = Counter(deed.version for deed in first)
        for version, count in times.items():
            if count > 1:
                yield f"lost update: version {version} of {subject} was made {count} times"
        for deed in deeds:
            if not deed.is_read and deed.seen and (deed.version or 0) <= deed.seen:
                yield f"went back: {deed.told()} rests on {deed.seen}, gave {deed.version}"


def by_subject(deeds: Iterable[Deed]) -> Mapping[str, list[Deed]]:
    """Sort what was answered with a version by what it is about."""
    found: dict[str, list[Deed]] = defaultdict(list)
    for deed in deeds:
        if deed.outcome == Outcome.OK and deed.version and deed.subject:
            found[deed.subject].append(deed)
    return found


def mailboxes_have_no_gap(run: Run) -> Iterator[str]:
    """Find mailboxes whose positions are not 1, 2, 3 to the head, each entry once."""
    for reader in run.tables.mail.keys() | run.tables.heads.keys():
        mail = run.tables.mail.get(reader, ())
        positions, head = [position for position, _ in mail], run.tables.heads.get(reader)
        if positions != list(range(1, len(positions) + 1)) or head != len(positions):
            yield f"gap: the mailbox of {reader} has {len(positions)} entries to {head}"
        for entry, count in Counter(entry for _, entry in mail).items():
            if count > 1:
                yield f"doubled: {entry} is {count} times in the mailbox of {reader}"


def mailboxes_follow_time(run: Run) -> Iterator[str]:
    """Find entries that lie ahead of what was answered before they were asked for."""
    deeds = by_entry(run)
    for reader, mail in run.tables.mail.items():
        latest = 0.0
        for position, entry in mail:
            if (deed := deeds.get(entry)) is not None:
                if deed.answered < latest:
                    yield f"reordered: {position} of {reader} was answered before one ahead"
                latest = max(latest, deed.invoked)


def mailboxes_follow_versions(run: Run) -> Iterator[str]:
    """Find entries of a record that lie ahead of those of its earlier versions."""
    deeds = by_entry(run)
    for reader, mail in run.tables.mail.items():
        newest: dict[str | None, int] = {}
        for position, entry in mail:
            deed = deeds.get(entry)
            if deed is None or deed.replayed or not deed.version:
                continue
            if deed.version < newest.get(deed.subject, 0):
                yield f"reordered: {position} of {reader} is of an earlier version"
            newest[deed.subject] = deed.version


def by_entry(run: Run) -> Mapping[str, Deed]:
    """Say of the entries that one deed alone can have made which that is."""
    deeds, lines = defaultdict(list), defaultdict(list)
    for deed in run.acknowledged():
        for what in wanted(deed):
            deeds[what].append(deed)
    for line in run.of_people():
        lines[signature(line)].append(line)
    return {
        lines[what][0].id: deeds[what][0]
        for what in deeds.keys() & lines.keys()
        if len(deeds[what]) == len(lines[what]) == 1
    }


def pollers_missed_nothing(run: Run) -> Iterator[str]:
    """Find pollers that did not deal with each event of their feed once, in order."""
    for reader, heard in run.inboxes:
        due = [entry for _, entry in run.tables.mail.get(reader, ())]
        missed, doubled = set(due) - set(heard), len(heard) - len(set(heard))
        if missed:
            yield f"a poller of {reader} missed {len(missed)} of {len(due)} events"
        if doubled:
            yield f"a poller of {reader} dealt with {doubled} events more than once"
        if not missed and not doubled and list(heard) != due:
            yield f"a poller of {reader} dealt with events in another order, or with others"


def clocks_fire_once(run: Run) -> Iterator[str]:
    """Find clocks that ran out twice in a generation, or without what is told of it."""
    for name, count in Counter(
        (one.clock, one.generation) for one in run.tables.fired
    ).items():
        if count > 1:
            yield f"fired {count} times: clock {name[0]}"
    due = Counter((one.case, one.event) for one in run.tables.fired if one.event)
    told = Counter((line.case, line.type) for line in run.tables.lines if line.clock)
    for case, event in due - told:
        yield f"an effect without its entry: {event} of case {case} was not told"
    for case, event in told - due:
        yield f"told without its effect: {event} of case {case}"


def states_have_their_entries(run: Run) -> Iterator[str]:
    """Find records whose entries do not lead, by the table, to the state they are in."""
    events: dict[str, list[str]] = defaultdict(list)
    for line in run.tables.lines:
        if line.state is not None:
            events[line.subject].append(line.type)
    for name, record in run.tables.records.items():
        noun = name.split("/", maxsplit=1)[0]
        if not walks(noun, record.state, events[name]):
            told = f"its entries do not lead there: {events[name]}"
            yield f"without its entry: {name} is {record.state}, {told}"


def texts_are_the_last(run: Run) -> Iterator[str]:
    """Find texts that are not what was written last of all that was acknowledged."""
    written: dict[str, list[Deed]] = defaultdict(list)
    for deed in run.acknowledged():
        if deed.says is not None and deed.subject and deed.seen:
            written[deed.subject].append(deed)
    for subject, text in run.texts.items():
        if subject in written:
            last = max(written[subject], key=lambda deed: deed.seen or 0)
            if text != last.says:
                yield f"lost: {subject} says {text!r}, not {last.says!r} ({last.told()})"


def database_is_whole(run: Run) -> Iterator[str]:
    """Find what the database finds wrong with itself."""
    yield from run.tables.broken


CHECKS: Final[tuple[Callable[[Run], Iterator[str]], ...]] = (
    everything_is_answered,
    nothing_is_lost,
    nothing_is_done_twice,
    keys_are_kept,
    versions_follow_time,
    no_version_is_given_twice,
    mailboxes_have_no_gap,
    mailboxes_follow_time,
    mailboxes_follow_versions,
    pollers_missed_nothing,
    clocks_fire_once,
    states_have_their_entries,
    texts_are_the_last,
    database_is_whole,
)


def findings(run: Run) -> list[str]:
    """Say everything that is wrong."""
    return [found for check in CHECKS for found in check(run)]
