"""The data of a finished run of the torture test, which the checks read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.torture.history import Operation
from tests.torture.tables import Line, Tables


@dataclass
class Run:
    """The data of a finished run: operations of clients, rows of tables, polled events."""

    deeds: Sequence[Operation] = ()
    tables: Tables = field(default_factory=Tables)
    inboxes: Sequence[tuple[str, Sequence[str]]] = ()
    """The office of each poller, and the ids of the events that the poller processed."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The text of each case at the end."""
    trouble: Mapping[str, int] = field(default_factory=dict)

    def list_acknowledged(self) -> list[Operation]:
        """Return the writes that were acknowledged."""
        return [operation for operation in self.deeds if operation.is_done]

    def list_entries_of_people(self) -> list[Line]:
        """Return the journal entries of actions that the clients' accounts have taken."""
        events = {
            what
            for operation in self.deeds
            for what in (operation.event, *operation.more_events)
        }
        accounts = {operation.account for operation in self.deeds}
        return [
            line
            for line in self.tables.lines
            if line.type in events and line.account in accounts
        ]
