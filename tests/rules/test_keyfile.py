"""Tests of the key file: permissions, refusal of bad files, and the states of its keys."""

import base64
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from errno import EACCES, ENOSPC
from pathlib import Path
from uuid import UUID

import pytest

from app.kernel import keyfile
from app.kernel.file_keys import FileKeys
from app.kernel.stored_keys import KeyRefused
from app.kernel.vault import KEY_BYTES, Place, Unopenable, Vault, join_with_lengths

CASE = UUID(int=1)
HOME = Place("section", UUID(int=10), CASE, "identity", "k1")
MAKE_ONE, RESTORE = "safe-conduct key new", "Restore it from a copy"

type Opening = Callable[[Path], FileKeys]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "kek"


@pytest.fixture
def careless() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def format_line(version: str, key: bytes | None = None) -> str:
    random = secrets.token_bytes(KEY_BYTES) if key is None else key
    return f"{version} {base64.b64encode(random).decode()}\n"


DAMAGED: dict[str, str | bytes] = {
    "no key": "k1",
    "an empty key": "k1 ",
    "no base64": "k1 not base64 at all",
    "cut at the end": format_line("k1")[:-3],
    "cut in half": format_line("k1")[:20],
    "31 bytes": format_line("k1", secrets.token_bytes(31)),
    "33 bytes": format_line("k1", secrets.token_bytes(33)),
    "no version": format_line("k1").removeprefix("k1 "),
    "only the second": format_line("k1") + "k2 ???\n",
    "accents": "k1 " + "é" * 44,
    "other digits": "k1 " + "\u0663" * 44,
    "retired, and no other key": format_line("k1").rstrip() + " retired\n",
    "another word": format_line("k1").rstrip() + " spare\n",
    "no text": b"\xff\xfe\x00\x01 binary",
    "zeros of a lost block": b"k1 \0\0\0",
}


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)


@pytest.mark.usefixtures("careless")
def test_a_new_key_file_is_closed_to_others_whatever_the_umask(path: Path) -> None:
    FileKeys.create(path)
    FileKeys.create(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text(encoding="utf-8").split()) == 4


def test_a_new_key_is_random_and_is_what_the_file_holds(path: Path) -> None:
    made = FileKeys.create(path)
    other = FileKeys.create(path.with_name("other"))

    assert made.derive("cursor") == FileKeys.load(path).derive("cursor")
    assert made.derive("cursor") != other.derive("cursor")


def test_after_a_second_key_the_old_still_opens_and_the_new_one_wraps(path: Path) -> None:
    before = Vault(FileKeys.create(path))
    old = before.create_key(CASE)
    sealed = before.seal(old, HOME, b"canary")

    FileKeys.create(path)
    after = Vault(FileKeys.load(path))
    new = after.create_key(CASE)

    assert [one.version.partition("x")[0] for one in (old, new)] == ["k1", "k2"]
    assert after.open(old, HOME, *sealed) == b"canary"
    assert after.open(new, HOME, *after.seal(new, HOME, b"canary")) == b"canary"
    with pytest.raises(Unopenable):
        before.open(new, HOME, *after.seal(new, HOME, b"canary"))


def test_secrets_are_derived_from_each_key_the_current_one_first(path: Path) -> None:
    first = FileKeys.create(path).derive("fingerprint")
    [one] = first.known.values()
    assert [first.current, first.oldest_accepted, first.first] == [one] * 3
    assert len(one) == 64

    keyfile.add_key(path)
    keyfile.add_key(path, is_standby=True)
    keys = FileKeys.load(path)
    derived = keys.derive("fingerprint")

    assert [name[:2] for name in derived.known] == ["k2", "k3", "k1"]
    assert derived.accepted == derived.known
    assert derived.current not in {derived.first, derived.oldest_accepted}
    assert derived.first == derived.oldest_accepted == one
    assert keys.derive("fingerprint") is derived
    assert len(set(derived.known.values())) == 3


def test_secrets_of_a_retired_key_are_known_and_not_accepted(path: Path) -> None:
    first, second = keyfile.add_key(path), keyfile.add_key(path)
    running = FileKeys.load(path)
    context = join_with_lengths(["place", first])
    old = first, running.wrap(first, b"secret", context)

    keyfile.mark_retired(path, first)
    retired = running.derive("challenge")
    assert list(retired.known) == [second, first]
    assert list(retired.accepted) == [second]
    assert retired.oldest_accepted == retired.current
    with pytest.raises(Unopenable, match="retired"):
        Vault(running).unwrap_secret(*old, "place")

    keyfile.mark_retired(path, first, undo=True)
    assert Vault(running).unwrap_secret(*old, "place") == b"secret"
    assert list(running.derive("challenge").accepted) == [second, first]


def test_current_key_cannot_be_retired_and_a_standby_key_can(path: Path) -> None:
    keyfile.add_key(path)
    current = keyfile.add_key(path)
    standby = keyfile.add_key(path, is_standby=True)

    with pytest.raises(KeyRefused, match="cannot be retired"):
        keyfile.mark_retired(path, current)
    with pytest.raises(KeyRefused, match="no such key"):
        keyfile.mark_retired(path, "k9")
    with pytest.raises(KeyRefused, match="is not retired"):
        keyfile.mark_retired(path, standby, undo=True)
    keyfile.mark_retired(path, standby)
    assert FileKeys.load(path).current == current
    with pytest.raises(KeyRefused, match="before it was activated"):
        keyfile.mark_retired(path, standby, undo=True)
    later = keyfile.add_key(path, is_standby=True)
    assert keyfile.activate_key(path) == later == FileKeys.load(path).current


def test_values_of_earlier_keys_are_found_and_challenges_refused(path: Path) -> None:
    first = keyfile.add_key(path)
    vault = Vault(FileKeys.load(path))
    stored, mac = vault.compute_fingerprint(b"x"), vault.compute_challenge_mac(b"c", "use")
    lasting = vault.compute_lasting_fingerprint(b"x")
    name = vault.compute_permanent_fingerprint(b"x")
    cursor = vault.encrypt_cursor(b"7", ["feed"])

    keyfile.add_key(path)
    assert vault.compute_fingerprint(b"x") != stored
    assert vault.list_fingerprints(b"x") == [vault.compute_fingerprint(b"x"), stored]
    assert vault.compute_lasting_fingerprint(b"x") == lasting
    assert vault.encrypt_cursor(b"7", ["feed"]) != cursor
    assert vault.is_challenge_mac(mac, b"c", "use")

    keyfile.mark_retired(path, first)
    assert vault.list_fingerprints(b"x")[1] == stored
    assert vault.compute_lasting_fingerprint(b"x") == vault.compute_fingerprint(b"x")
    assert vault.compute_permanent_fingerprint(b"x") == name
    assert vault.decrypt_cursor(cursor, ["feed"]) == b"7"
    assert not vault.is_challenge_mac(mac, b"c", "use")


def test_every_purpose_has_a_secret_of_its_own(path: Path) -> None:
    keys = FileKeys.create(path)

    assert keys.derive("fingerprint") != keys.derive("cursor")


@pytest.mark.parametrize("use", [FileKeys.load, FileKeys.create])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602, 0o601, 0o666, 0o777])
def test_a_file_that_others_can_use_is_refused(path: Path, mode: int, use: Opening) -> None:
    FileKeys.create(path)
    path.chmod(mode)

    with pytest.raises(KeyRefused, match=f"chmod 600 {path}"):
        use(path)


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(KeyRefused, match=MAKE_ONE):
        FileKeys.load(path)


def test_file_that_cannot_be_read_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, format_line("k1"))

    def refuse(_: Path) -> bytes:
        raise PermissionError(EACCES, os.strerror(EACCES))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(KeyRefused, match="cannot be read: Permission denied"):
        FileKeys.load(path)


@pytest.mark.parametrize("use", [FileKeys.load, FileKeys.create])
def test_a_directory_is_refused(tmp_path: Path, use: Opening) -> None:
    with pytest.raises(KeyRefused, match=MAKE_ONE):
        use(tmp_path)


@pytest.mark.parametrize("content", ["", "\n", "\n\n\n"], ids=ascii)
def test_an_empty_file_is_refused(path: Path, content: str) -> None:
    write(path, content)

    with pytest.raises(KeyRefused, match=MAKE_ONE):
        FileKeys.load(path)


@pytest.mark.parametrize("use", [FileKeys.load, FileKeys.create])
@pytest.mark.parametrize(
    "sample", [bytes(32), b"x" * 32, b"changeme" * 4, b"\1\2\3\4\5\6\7\7" * 4]
)
def test_a_sample_key_is_refused(path: Path, sample: bytes, use: Opening) -> None:
    write(path, format_line("k1", sample))

    with pytest.raises(KeyRefused, match=MAKE_ONE):
        use(path)


@pytest.mark.parametrize("use", [FileKeys.load, FileKeys.create])
@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused(path: Path, content: str | bytes, use: Opening) -> None:
    write(path, content)

    with pytest.raises(KeyRefused, match=RESTORE):
        use(path)


@pytest.mark.parametrize("use", [FileKeys.load, FileKeys.create])
@pytest.mark.parametrize(
    "content",
    [format_line("k1") + format_line("k1"), format_line("")],
    ids=["the same twice", "none"],
)
def test_a_key_whose_version_says_nothing_is_refused(
    path: Path, content: str, use: Opening
) -> None:
    write(path, content)

    with pytest.raises(KeyRefused, match=RESTORE):
        use(path)


def test_a_refusal_never_shows_a_key(path: Path) -> None:
    encoded = format_line("k1").split()[1]
    write(path, f"k1 {encoded}x\n")

    with pytest.raises(KeyRefused) as refused:
        FileKeys.load(path)

    assert encoded[:8] not in f"{refused.value} {refused.value.__cause__}"


def test_what_an_empty_file_is_told_to_do_helps(path: Path) -> None:
    write(path, "")

    made = FileKeys.create(path)

    assert FileKeys.load(path).derive("cursor") == made.derive("cursor")


def test_a_sample_key_is_told_to_go_first(path: Path) -> None:
    write(path, format_line("k1", bytes(32)))

    with pytest.raises(KeyRefused, match=rf"(?i)remove {path}"):
        FileKeys.create(path)


def test_a_damaged_file_is_left_as_it_was(path: Path) -> None:
    write(path, "k1 damaged\n")

    with pytest.raises(KeyRefused):
        FileKeys.create(path)

    assert path.read_text(encoding="utf-8") == "k1 damaged\n"


def test_a_file_without_a_last_line_break_survives_a_second_key(path: Path) -> None:
    write(path, format_line("k1").rstrip("\n"))
    old = Vault(FileKeys.load(path)).create_key(CASE)

    FileKeys.create(path)
    after = Vault(FileKeys.load(path))

    assert after.create_key(CASE).version.startswith("k2x")
    assert after.seal(old, HOME, b"still opens")


def test_keys_that_were_made_from_different_copies_can_stand_in_one_file(
    path: Path,
) -> None:
    FileKeys.create(path)
    first, copy = path.read_text(encoding="utf-8"), path.with_name("copy")
    write(copy, first)
    keys = [Vault(FileKeys.create(one)).create_key(CASE) for one in (path, copy)]

    write(path, path.read_text(encoding="utf-8") + copy.read_text().removeprefix(first))
    merged = Vault(FileKeys.load(path))

    assert all(merged.seal(key, HOME, b"still opens") for key in keys)


@pytest.mark.parametrize("content", ["", format_line("k1")], ids=["none", "one"])
def test_on_a_full_disk_the_file_stays_as_it_was(
    path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(ENOSPC, "No space left on device")

    write(path, content)
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left"):
        FileKeys.create(path)

    assert path.read_text(encoding="utf-8") == content


def test_an_empty_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    write(path, "")
    path.chmod(0o644)

    FileKeys.create(path)

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_is_added_to_the_file_that_a_link_leads_to(path: Path) -> None:
    write(path, format_line("k1"))
    link = path.with_name("link")
    link.symlink_to(path)

    FileKeys.create(link)

    assert link.is_symlink()
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2


def test_a_new_version_never_takes_the_name_of_another(path: Path) -> None:
    write(path, format_line("k2") + format_line("k3"))
    before = Vault(FileKeys.load(path))
    keys = [before.create_key(CASE)]

    for _ in range(2):
        FileKeys.create(path)
        after = Vault(FileKeys.load(path))
        keys.append(after.create_key(CASE))

    assert len({key.version for key in keys}) == 3
    assert all(after.seal(key, HOME, b"still opens") for key in keys)


def test_standby_key_opens_and_wraps_only_once_it_is_activated(path: Path) -> None:
    first = keyfile.add_key(path)
    running = FileKeys.load(path)

    standby = keyfile.add_key(path, is_standby=True)
    before = running.current
    activated = keyfile.activate_key(path)
    vault = Vault(running)
    wrapped = vault.create_key(CASE)

    assert before == first
    assert activated == standby == running.current == wrapped.version
    assert Vault(FileKeys.load(path)).seal(wrapped, HOME, b"canary")


def test_running_process_opens_what_a_standby_key_wrapped(path: Path) -> None:
    keyfile.add_key(path)
    running = Vault(FileKeys.load(path))

    keyfile.add_key(path, is_standby=True)
    keyfile.activate_key(path)
    key = Vault(FileKeys.load(path)).create_key(CASE)

    assert running.seal(key, HOME, b"canary")


def test_only_an_existing_key_can_be_joined_by_a_standby_key(path: Path) -> None:
    with pytest.raises(KeyRefused, match="cannot be a standby key"):
        keyfile.add_key(path, is_standby=True)
    keyfile.add_key(path)
    with pytest.raises(KeyRefused, match="There is no standby key"):
        keyfile.activate_key(path)


def test_new_key_is_refused_beside_a_standby_key(path: Path) -> None:
    keyfile.add_key(path)
    standby = keyfile.add_key(path, is_standby=True)

    for is_standby in (True, False):
        with pytest.raises(KeyRefused, match="There is a standby key"):
            keyfile.add_key(path, is_standby=is_standby)

    assert keyfile.activate_key(path) == standby


def test_keys_that_several_commands_add_are_all_in_the_file(path: Path) -> None:
    keyfile.add_key(path)
    (link := path.parent.parent / "link").symlink_to(path)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(keyfile.add_key, [path, link] * 20))

    assert {one.version for one in keyfile.read_lines(path)} > set(made)
    assert len(keyfile.read_lines(path)) == 1 + len(made)


@pytest.mark.parametrize("replacement", ["damaged", "older", "of others", "missing"])
def test_running_process_keeps_its_keys_if_the_new_file_is_not_usable(
    path: Path, replacement: str
) -> None:
    keyfile.add_key(path)
    older, second = path.read_text("utf-8"), keyfile.add_key(path)
    running = FileKeys.load(path)
    contents = {"damaged": "k1 ?", "older": older, "of others": format_line("k7")}

    if replacement in contents:
        write(path.with_name("new"), contents[replacement])
        path.with_name("new").replace(path)
    else:
        path.unlink()

    assert running.current == second
    assert Vault(running).seal(Vault(running).create_key(CASE), HOME, b"canary")


@pytest.mark.parametrize(
    "text",
    [
        format_line("k1").replace("\n", " standby\n"),
        format_line("k1").replace("\n", " spare\n") + format_line("k2"),
        format_line("k1")
        + format_line("k2").replace("\n", " standby\n")
        + format_line("k3"),
    ],
    ids=["only a standby key", "unknown use", "standby key before another"],
)
def test_file_with_wrong_uses_is_refused(path: Path, text: str) -> None:
    write(path, text)

    with pytest.raises(KeyRefused, match=RESTORE):
        FileKeys.load(path)
