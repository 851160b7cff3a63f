"""Tests of a key file whose keys a key service encrypts (ADR 87)."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from errno import EMFILE
from pathlib import Path
from threading import Event
from typing import override
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from app.kernel import file_keys, keyfile
from app.kernel.file_keys import FileKeys
from app.kernel.stored_keys import KeyRefused, KeyServiceFailed
from app.kernel.vault import KEY_BYTES, RetiredKey, Vault
from tests.support.transit_server import AAD, ItemRefused, TransitKey, decode, encode
from tests.support.waiting import wait_until

CASE = UUID(int=1)


@dataclass
class MemoryService:
    """A key service in this process, which can be down."""

    key: TransitKey = field(default_factory=TransitKey)
    is_down: bool = False
    decrypted: list[str] = field(default_factory=list)
    """The versions of the keys that were decrypted."""

    def encrypt(self, keys: Mapping[str, bytes]) -> dict[str, str]:
        self.require_up()
        items = {
            name: {"plaintext": encode(value), AAD: encode(name.encode())}
            for name, value in keys.items()
        }
        return {name: self.key.encrypt(one)["ciphertext"] for name, one in items.items()}

    def decrypt(self, keys: Mapping[str, str]) -> dict[str, bytes]:
        self.require_up()
        self.decrypted += keys
        items = {
            name: {"ciphertext": text, AAD: encode(name.encode())}
            for name, text in keys.items()
        }
        return {
            name: decode(self.key.decrypt(one)["plaintext"]) for name, one in items.items()
        }

    def require_up(self) -> None:
        if self.is_down:
            raise KeyServiceFailed("It is down.")


class WeakService(MemoryService):
    """A service that decrypts each key to zeros."""

    @override
    def decrypt(self, keys: Mapping[str, str]) -> dict[str, bytes]:
        return dict.fromkeys(keys, bytes(KEY_BYTES))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def service() -> MemoryService:
    return MemoryService()


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that advances the clock of `file_keys` by a number of seconds."""
    time = [1000.0]

    def move(seconds: float) -> None:
        time[0] += seconds

    monkeypatch.setattr(file_keys, "monotonic", lambda: time[0])
    return move


def list_encoded(path: Path) -> list[str]:
    """Return the keys of a key file in their stored form."""
    return [line.split()[1] for line in path.read_text("ascii").splitlines()]


def test_new_keys_are_encrypted_and_open_what_they_wrapped(
    path: Path, service: MemoryService
) -> None:
    first = keyfile.add_key(path, service=service)
    wrapped = Vault(FileKeys.load(path, service)).wrap_secret(b"secret", "place")
    standby = keyfile.add_key(path, is_standby=True, service=service)

    assert all(one.startswith("vault:v1:") for one in list_encoded(path))
    assert keyfile.activate_key(path) == standby
    keys = FileKeys.load(path, service)
    assert keys.current == standby
    assert Vault(keys).unwrap_secret(*wrapped, "place") == b"secret"
    keyfile.mark_retired(path, first)
    assert list(keys.derive("cursor").accepted) == [standby]


def test_encrypted_file_is_refused_without_its_service(
    path: Path, service: MemoryService
) -> None:
    keyfile.add_key(path, service=service)
    before = path.read_bytes()

    with pytest.raises(KeyRefused, match="Set SAFE_CONDUCT_TRANSIT_URL"):
        FileKeys.load(path)
    with pytest.raises(KeyRefused, match="Set SAFE_CONDUCT_TRANSIT_URL"):
        keyfile.add_key(path)
    with pytest.raises(KeyServiceFailed):
        FileKeys.load(path, MemoryService(is_down=True))
    with pytest.raises(KeyRefused, match="not random"):
        FileKeys.load(path, WeakService(service.key))
    assert path.read_bytes() == before


def test_keys_are_encrypted_again_and_decrypted_with_the_same_values(
    path: Path, service: MemoryService
) -> None:
    keyfile.add_key(path)
    keyfile.add_key(path)
    keyfile.add_key(path, is_standby=True)
    keyfile.mark_retired(path, keyfile.read_lines(path)[0].version)
    values, before = keyfile.read_keys(path), path.read_bytes()

    keyfile.encrypt_keys(path, service)
    first, copy = list_encoded(path), path.with_name("copy")
    service.key.rotate()
    keyfile.encrypt_keys(path, service, copy)
    assert list_encoded(path) == first
    keyfile.encrypt_keys(path, service)

    assert [one[:9] for one in first] == ["vault:v1:"] * 3
    for written in (path, copy):
        assert [one[:9] for one in list_encoded(written)] == ["vault:v2:"] * 3
        assert written.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        keyfile.encrypt_keys(path, service, copy)
    assert keyfile.read_keys(path, service) == values
    keyfile.decrypt_keys(path, service)
    assert path.read_bytes() == before


@pytest.mark.parametrize("change", [keyfile.encrypt_keys, keyfile.decrypt_keys])
def test_file_stays_as_it_was_if_the_service_fails(
    path: Path, service: MemoryService, change: Callable[..., object]
) -> None:
    keyfile.add_key(path, service=service)
    before = path.read_bytes()
    service.is_down = True

    with pytest.raises(KeyServiceFailed):
        change(path, service)
    with pytest.raises(KeyServiceFailed):
        keyfile.add_key(path, service=service)

    assert path.read_bytes() == before


def test_keys_are_not_encrypted_if_they_could_not_be_decrypted(path: Path) -> None:
    with pytest.raises(KeyServiceFailed, match="does not decrypt what it encrypted"):
        keyfile.add_key(path, service=WeakService())
    assert not path.exists()
    keyfile.add_key(path)
    before = path.read_bytes()

    with pytest.raises(KeyServiceFailed, match="does not decrypt what it encrypted"):
        keyfile.encrypt_keys(path, WeakService())

    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["no prefix", "vault:v1:a b", "vault:v1:a\nk9 b", ""])
def test_ciphertext_that_does_not_fit_into_a_line_is_refused(
    path: Path, service: MemoryService, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyfile.add_key(path)
    before = path.read_bytes()
    monkeypatch.setattr(service, "encrypt", lambda keys: dict.fromkeys(keys, text))

    with pytest.raises(KeyServiceFailed, match="invalid ciphertexts"):
        keyfile.encrypt_keys(path, service)

    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["vault:", "vault:v1:", "vault:v1:?", "vault:vx:AAAA"])
def test_damaged_encrypted_key_is_refused(path: Path, text: str) -> None:
    path.write_text(f"k1 {text}\n", "ascii")
    path.chmod(0o600)

    with pytest.raises(KeyRefused, match="is damaged"):
        keyfile.read_lines(path)


def test_key_of_another_service_is_not_added(path: Path, service: MemoryService) -> None:
    keyfile.add_key(path, service=service)
    before = path.read_bytes()

    with pytest.raises(ItemRefused):
        keyfile.add_key(path, service=MemoryService())

    assert path.read_bytes() == before


def test_file_is_encrypted_as_a_whole(path: Path, service: MemoryService) -> None:
    keyfile.add_key(path)
    with pytest.raises(KeyRefused, match="are not encrypted"):
        keyfile.add_key(path, service=service)
    keyfile.encrypt_keys(path, service)
    keys = FileKeys.load(path, service)
    current, value = keys.current, base64.b64encode(bytes(range(32))).decode()
    with path.open("a", encoding="ascii") as file:
        file.write(f"k9 {value}\n")

    assert keys.current == current
    for use in (keyfile.read_keys, FileKeys.load, keyfile.decrypt_keys):
        with pytest.raises(KeyRefused, match="are encrypted, and others are not"):
            use(path, service)
    with pytest.raises(KeyRefused, match="are encrypted, and others are not"):
        keyfile.activate_key(path)
    keyfile.encrypt_keys(path, service)
    assert keyfile.read_keys(path, service)[-1].value == bytes(range(32))


def test_key_is_not_shown(path: Path, service: MemoryService) -> None:
    keyfile.add_key(path, service=service)
    [line], [key] = keyfile.read_lines(path), keyfile.read_keys(path, service)

    assert line.encoded not in repr(line)
    assert repr(key.value) not in repr(key)


def list_known(keys: FileKeys) -> list[str]:
    """Return the versions of the keys that a process has, the current one first."""
    return list(keys.derive("cursor").known)


def wait_for_refusals(logs: Sequence[Mapping[str, object]], count: int) -> None:
    """Wait for `count` log lines, and check that each of them reports a refusal."""
    wait_until(lambda: len(logs) >= count)
    assert [one["said"] for one in logs] == ["refused"] * count


def test_running_process_asks_the_service_only_for_new_keys(
    path: Path, service: MemoryService
) -> None:
    first = keyfile.add_key(path, service=service)
    keys = FileKeys.load(path, service)
    standby = keyfile.add_key(path, is_standby=True, service=service)
    service.decrypted.clear()

    wait_until(lambda: list_known(keys) == [first, standby])
    assert service.decrypted == [standby]
    service.is_down = True
    keyfile.activate_key(path)
    assert keys.current == standby
    keyfile.mark_retired(path, first)
    assert list(keys.derive("cursor").accepted) == [standby]


def test_running_process_asks_again_while_the_service_is_down(
    path: Path, service: MemoryService, wait: Callable[[float], None]
) -> None:
    first = keyfile.add_key(path, service=service)
    keys = FileKeys.load(path, service)
    standby = keyfile.add_key(path, is_standby=True, service=service)
    service.is_down = True

    with capture_logs() as logs:
        assert list_known(keys) == [first]
        wait_for_refusals(logs, 1)
        wait(file_keys.RETRY_SECONDS - 1)
        assert list_known(keys) == [first]
        wait(1)
        assert list_known(keys) == [first]
        wait_for_refusals(logs, 2)
    assert logs[0]["error"] == "KeyServiceFailed"
    assert logs[0]["reason"] == "It is down."
    service.is_down = False
    wait(file_keys.RETRY_SECONDS)

    wait_until(lambda: list_known(keys) == [first, standby])
    service.decrypted.clear()
    wait(10 * file_keys.RETRY_SECONDS)
    assert list_known(keys) == [first, standby]
    assert not service.decrypted


def test_marks_are_used_while_the_service_is_down(
    path: Path, service: MemoryService
) -> None:
    first, second = (keyfile.add_key(path, service=service) for _ in range(2))
    keys = FileKeys.load(path, service)
    keyfile.add_key(path, is_standby=True, service=service)
    keyfile.mark_retired(path, first)
    keyfile.encrypt_keys(path, service)
    service.is_down = True

    assert list(keys.derive("cursor").accepted) == [second]
    with pytest.raises(RetiredKey):
        keys.unwrap(first, b"", b"")


def test_current_key_is_used_until_the_next_one_is_decrypted(
    path: Path, service: MemoryService
) -> None:
    first = keyfile.add_key(path, service=service)
    keys = FileKeys.load(path, service)
    service.is_down = True
    assert keys.current == first
    service.is_down = False
    second = keyfile.add_key(path, service=service)
    keyfile.mark_retired(path, first)
    service.is_down = True

    assert keys.current == first
    assert list(keys.derive("cursor").accepted) == [first]
    service.is_down = False
    keyfile.encrypt_keys(path, service)
    wait_until(lambda: list_known(keys) == [second, first])
    assert list(keys.derive("cursor").accepted) == [second]


def test_other_threads_go_on_while_the_service_does_not_answer(
    path: Path, service: MemoryService
) -> None:
    first = keyfile.add_key(path, service=service)
    keys = FileKeys.load(path, service)
    standby = keyfile.add_key(path, is_standby=True, service=service)
    asked, answered = Event(), Event()

    def answer_late() -> None:
        asked.set()
        assert answered.wait(10)

    service.require_up = answer_late  # type: ignore[method-assign]
    assert list_known(keys) == [first]
    assert asked.wait(10)
    keyfile.mark_retired(path, standby)
    assert list_known(keys) == [first]
    answered.set()

    wait_until(lambda: list_known(keys) == [first, standby])
    assert list(keys.derive("cursor").accepted) == [first]


def test_file_that_could_not_be_read_is_read_again(
    path: Path, wait: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keyfile.add_key(path)
    keys = FileKeys.load(path)
    second = keyfile.add_key(path)

    def fail(_: Path) -> None:
        raise OSError(EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(keyfile, "read_lines", fail)
        assert keys.current == first
    assert keys.current == first
    wait(file_keys.RETRY_SECONDS)
    assert keys.current == second


@pytest.mark.parametrize("said", ["refused", "lacks keys"])
def test_reason_why_a_file_is_not_used_is_logged_again(
    path: Path, wait: Callable[[float], None], tmp_path: Path, said: str
) -> None:
    """The log line is repeated at intervals until the file is correct."""
    first = keyfile.add_key(path)
    keys = FileKeys.load(path)
    correct, other = path.read_text("ascii"), tmp_path / "other"
    keyfile.add_key(other)
    path.write_text("no key\n" if said == "refused" else other.read_text("ascii"), "ascii")

    with capture_logs() as logs:
        for _ in range(3):
            assert keys.current == first
            assert keys.current == first
            wait(file_keys.RETRY_SECONDS)
    assert [line["said"] for line in logs] == [said] * 3

    path.write_text(correct, "ascii")
    with capture_logs() as logs:
        assert keys.current == first
        wait(10 * file_keys.RETRY_SECONDS)
        assert keys.current == first
    assert logs == []
