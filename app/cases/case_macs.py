"""MACs of cases, which reveal rows that the service did not write (ADR 81).

The row of a case stores a digest of each record on which permissions depend, and one MAC of
the case and all digests. A record is verified with the values with which it was loaded,
before the transaction writes or ends.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self
from uuid import UUID

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.cases.protected_records import (
    CaseGroup,
    CaseRecord,
    LoadedRecord,
    Pending,
    Protected,
    ProtectedCase,
    Row,
    Values,
    build_update,
    list_record_models,
    list_tags,
    select_row,
)
from app.kernel.db import get_dialect
from app.kernel.mac_values import copy_values
from app.kernel.macs import MACS, Entry, Group, NotAuthentic, RowMacs, raise_alarm
from app.kernel.problems import Busy
from app.kernel.protected_groups import CASE_GROUPS
from app.kernel.statements import lock_rows
from app.kernel.transactions import is_read_only


@dataclass
class CaseGroups:
    """The groups of the cases that a session has loaded or changed.

    `groups` contains the versions of each case, with the current version last, because
    another transaction may change a case meanwhile. A version is None if the case needs no
    MAC. `tags` contains the tags of the loaded or written records of each case. `owned` are
    the cases that are locked or new. `due` are the cases whose MAC has to be written.
    `flushing` are the records that a flush writes now.
    """

    macs: RowMacs
    model: type[ProtectedCase]
    groups: dict[UUID, list[CaseGroup | None]] = field(default_factory=dict)
    pending: dict[UUID, Pending] = field(default_factory=lambda: defaultdict(Pending))
    loaded: dict[UUID, Any] = field(default_factory=dict)
    tags: dict[UUID, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    owned: set[UUID] = field(default_factory=set)
    due: set[UUID] = field(default_factory=set)
    flushing: list[Protected] = field(default_factory=list)
    has_failed: bool = False

    @classmethod
    def get_for(cls, session: Session) -> Self:
        """Return the groups of a session. Raises RuntimeError if it has no keys."""
        found: Self | None = session.info.get(CASE_GROUPS)
        if found is None:
            macs = session.info.get(MACS)
            if macs is None:
                raise RuntimeError("This session has no keys to protect cases.")
            [model] = ProtectedCase.__subclasses__()
            found = session.info[CASE_GROUPS] = cls(macs, model)
        return found

    def add_case(self, row: Row) -> None:
        """Add a row of a case that was loaded, to be verified later."""
        self.pending[row["id"]].cases.append(dict(row))

    def add_record(self, model: type[CaseRecord], row: Row) -> None:
        """Add a record that was loaded, to be verified later."""
        record = self.build_record(model, row)
        self.tags[record.case_id].add(record.tag)
        self.pending[record.case_id].records.append(record)

    def build_record(self, model: type[CaseRecord], row: Row) -> LoadedRecord:
        """Return a record with its tag and its digest."""
        tag = model.compute_tag(row)
        digest = self.compute_digest(model, row, tag)
        return LoadedRecord(row["case_id"], model, tag, digest, model.get_identity(row))

    def read_records(
        self, session: Session, case_ids: Collection[UUID]
    ) -> Iterator[LoadedRecord]:
        """Yield all records of the given cases, as they are in the database."""
        for model in list_record_models():
            own = select_row(model).where(model.case_id.in_(case_ids))
            for row in session.connection().execute(own).mappings().all():
                yield self.build_record(model, dict(row))

    def compute_digest(self, model: type[CaseRecord], row: Row, tag: bytes) -> bytes:
        """Return the digest of a record, from the cache if its values are the same."""
        values, key = model.get_values(row), (model, tag)
        known = self.macs.known_digests.get(key)
        if known is not None and known[0] == values:
            return known[1]
        named = model.name_values(values)
        digest = self.macs.compute_digest(model.__tablename__, [named])
        self.macs.known_digests.store(key, (copy_values(values), digest))
        return digest

    def verify(self, session: Session) -> None:
        """Verify the cases and records that were loaded since the last call.

        Raises NotAuthentic if the service did not write one of them, and Busy (503) if
        another transaction changed a case while this one loaded its records without a lock.
        """
        for case_id in self.load_pending(session):
            self.verify_pending(session, case_id)

    def find_forged(self, session: Session) -> set[UUID]:
        """Verify as `verify` does, but return the ids of the cases that do not match."""
        forged = set[UUID]()
        for case_id in self.load_pending(session):
            try:
                self.verify_pending(session, case_id)
            except NotAuthentic:
                forged.add(case_id)
        return forged

    def load_pending(self, session: Session) -> list[UUID]:
        """Load the cases of pending records, and return the ids of all pending cases."""
        missing = [
            case_id
            for case_id, found in self.pending.items()
            if not found.cases and case_id not in self.groups
        ]
        for row in self.read_cases(session, missing):
            self.add_case(row)
        return list(self.pending)

    def verify_pending(self, session: Session, case_id: UUID) -> None:
        """Verify the pending rows of a case. Raises NotAuthentic, or Busy (503)."""
        try:
            self.verify_loaded(session, case_id, self.pending.pop(case_id))
        except (NotAuthentic, Busy):
            self.has_failed = True
            raise

    def verify_loaded(self, session: Session, case_id: UUID, found: Pending) -> None:
        """Verify the given rows of a case. Raises NotAuthentic, or Busy (503)."""
        for row in found.cases:
            self.verify_case(row)
        if case_id not in self.groups and found.records:
            raise_alarm(self.model.__tablename__, [case_id])
        self.groups.setdefault(case_id, [CaseGroup((), {})])
        for one in found.records:
            if self.has_digest(one):
                continue
            self.load_case_again(session, case_id)
            if not self.has_digest(one):
                self.raise_changed(session, case_id, one.model.__tablename__, one.identity)
        if found.has_parties:
            self.require_complete(session, case_id, self.model.loaded_with)

    def has_digest(self, record: LoadedRecord) -> bool:
        """Return whether a version of the case contains the record, or needs no MAC."""
        return any(
            group is None or group.digests.get(record.tag) == record.digest
            for group in self.groups[record.case_id]
        )

    def load_case_again(self, session: Session, case_id: UUID) -> None:
        """Load and verify a case again, if another transaction may have changed it."""
        if not self.is_snapshot(session) and case_id not in self.owned:
            for row in self.read_cases(session, [case_id]):
                self.verify_case(row)

    def verify_case(self, row: Row) -> None:
        """Verify a row of a case, and store its group. Raises NotAuthentic."""
        case_id, values = row["id"], self.model.get_values(row)
        versions = self.groups.setdefault(case_id, [])
        if case_id not in self.due:
            versions.append(self.parse_group(row, values))
        elif (changed := versions[-1]) is not None and changed.values != values:
            raise_alarm(self.model.__tablename__, [case_id])

    def get_group(self, case_id: UUID) -> CaseGroup | None:
        """Return the current group of a case, or None if the case needs no MAC."""
        return self.groups[case_id][-1]

    def finish(self, session: Session) -> None:
        """Verify pending rows and write the MACs. Raises NotAuthentic, or Busy (503)."""
        self.verify(session)
        if self.has_failed:
            raise NotAuthentic("A row of a case was changed in the database.")
        self.store(session)

    def parse_group(self, row: Row, values: Values) -> CaseGroup | None:
        """Return the group in a row, or None if it needs no MAC. Raises NotAuthentic."""
        table, stored = self.model.__tablename__, row["mac"]
        if self.macs.is_disabled:
            return None
        if stored is None:
            if not self.macs.accepts_missing():
                raise_alarm(table, [row["id"]])
            return None
        groups = self.macs.known_groups
        known: tuple[object, CaseGroup] | None = groups.get(row["id"])
        if known is not None and known[0] == (values, stored):
            return known[1].copy()
        owner = [row["id"], self.model.name_values(values)]
        parsed = self.macs.parse_group(table, owner, stored)
        digests = {tag: entry.digest for tag, entry in parsed.entries.items()}
        group = CaseGroup(copy_values(values), digests, parsed.revision)
        group.store_copy(groups, row["id"], stored)
        return group

    def load_groups(self, session: Session, case_ids: Iterable[UUID]) -> None:
        """Load and verify the groups of cases. Raises NotAuthentic, or Busy (503)."""
        for case_id in set(case_ids) - self.groups.keys():
            self.pending.setdefault(case_id, Pending())
        self.load_pending(session)
        for case_id in case_ids:
            if case_id in self.pending:
                self.verify_pending(session, case_id)

    def read_cases(self, session: Session, case_ids: Collection[UUID]) -> Iterable[Row]:
        """Return the rows of the given cases, as they are in the database."""
        if not case_ids:
            return []
        query = select_row(self.model).where(self.model.id.in_(case_ids))  # type: ignore[attr-defined]
        return [dict(row) for row in session.connection().execute(query).mappings()]

    def lock_case(self, session: Session, case_id: UUID) -> None:
        """Lock a case for changes, and verify its row. Raises NotAuthentic."""
        query = lock_rows(select_row(self.model).where(self.model.id == case_id))  # type: ignore[attr-defined]
        row = session.connection().execute(query).mappings().one_or_none()
        if row is None:
            raise_alarm(self.model.__tablename__, [case_id])
        self.owned.add(case_id)
        self.verify_case(dict(row))

    def is_snapshot(self, session: Session) -> bool:
        """Return whether the transaction reads one snapshot of the database."""
        return get_dialect(session).name == "sqlite" or is_read_only(session)

    def raise_changed(
        self, session: Session, case_id: UUID, table: str, identity: object
    ) -> NoReturn:
        """Raise NotAuthentic for the row that `identity` identifies, or Busy (503).

        Busy is raised if all records match the MAC now, because another transaction then
        changed the case while this one loaded its records.
        """
        if not self.is_snapshot(session):
            self.lock_case(session, case_id)
            group = self.get_group(case_id)
            found = {one.tag: one.digest for one in self.read_records(session, [case_id])}
            if group is None or group.digests == found:
                raise Busy("The case was changed meanwhile. Send the request again.")
        raise_alarm(table, [identity])

    def require_complete(
        self, session: Session, case_id: UUID, labels: Collection[str]
    ) -> None:
        """Raise NotAuthentic, or Busy (503), if a record of a case is missing.

        The session must have loaded all records of the case with these labels.
        """
        if not self.is_complete(case_id, labels):
            self.load_case_again(session, case_id)
            if not self.is_complete(case_id, labels):
                self.raise_changed(session, case_id, self.model.__tablename__, case_id)

    def is_complete(self, case_id: UUID, labels: Collection[str]) -> bool:
        """Return whether all records with these labels in one case version are loaded."""
        return any(
            group is None or list_tags(group, labels) <= self.tags[case_id]
            for group in self.groups[case_id]
        )

    def store(self, session: Session) -> None:
        """Write the MACs of the changed cases to the database and to loaded objects."""
        for case_id in sorted(self.due):
            mac = self.format_mac(case_id)
            session.connection().execute(build_update(), {"case": case_id, "new": mac})
            if (case := self.loaded.get(case_id)) is not None:
                set_committed_value(case, "mac", mac)
        self.due.clear()

    def format_mac(self, case_id: UUID) -> bytes | None:
        """Return the bytes that the row of a case stores, or None if it needs no MAC."""
        if (group := self.get_group(case_id)) is None:
            return None
        groups, revision = self.macs.known_groups, group.revision + 1
        entries = {tag: Entry(digest, None) for tag, digest in group.digests.items()}
        owner = [case_id, self.model.name_values(group.values)]
        content = Group(entries, revision)
        stored = self.macs.format_group(self.model.__tablename__, owner, content)
        CaseGroup(group.values, group.digests, revision).store_copy(groups, case_id, stored)
        return stored
