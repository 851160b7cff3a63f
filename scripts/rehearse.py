"""Carry out the Dockerfile without Docker, and live in what it makes: `make rehearse`.

Buildah builds the image on a bare root: what the real base image does not have is missed
here too. It needs root, and the package index that pip is told to use. It says at the end
what it did not show.
"""

import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from bare_root import fail, make_base
from host import mount, unshare_mounts
from image import Builder, Image, report_version, require_buildah

UP: Final = 0x1
SET_FLAGS: Final = 0x8914
STOPS_IN: Final = 10.0
STARTS_IN: Final = 30.0
URL: Final = "http://127.0.0.1:8000"
OPERATOR: Final = (
    *("key new", "migrate", "directory load", "directory load app/demo/data", "doctor"),
)
SHOWN: Final = """
rehearsed: the Dockerfile, built by buildah on a bare root with this machine's Python;
then, as its user, on a read-only root and without any network but loopback: key,
migration, directory, serving as process 1, liveness, readiness, the health check, SIGTERM.
not rehearsed: the base image itself (its Debian, its patch release of Python, its digest);
Docker's own builder and cache; what EXPOSE, VOLUME and STOPSIGNAL do; the intervals of
HEALTHCHECK; other architectures; the limits, seccomp and capabilities of a container
engine; PostgreSQL; compose.yaml, which tests/contract reads.
""".strip()


def must(true: object, what: str) -> None:
    """Say that something holds, or fail."""
    if not true:
        fail(f"not so: {what}")
    print(f"  ok: {what}", flush=True)


@contextmanager
def bench() -> Iterator[Path]:
    """Give a folder in memory, and take it away with all that is mounted in it."""
    with TemporaryDirectory(prefix="rehearse-") as folder:
        mount("-t", "tmpfs", "tmpfs", folder)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--recursive", "--lazy", folder], check=True)


def only_loopback() -> None:
    """Leave every network: what runs from now on can reach this process alone."""
    os.unshare(os.CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", b"lo", UP))


def as_container(image: Image) -> None:
    """Take from the root what a container does not have, and give it what it does."""
    var = image.at("var")
    owner = var.stat()
    must(oct(owner.st_mode)[-3:] == "700", "the volume is its user's alone")
    must(owner.st_uid == int(image.user.split(":")[0]), "the user owns the volume")
    mount("--bind", str(image.root), str(image.root))
    for target, options in ((var, "mode=0700"), (image.root / "tmp", "mode=1777")):
        ids = f"uid={owner.st_uid},gid={owner.st_gid}"
        mount("-t", "tmpfs", "-o", f"{options},{ids}", "tmpfs", str(target))
    mount("-o", "remount,bind,ro", str(image.root))


def judge(image: Image) -> None:
    """Look at what the image holds."""
    tools = [image.root.rglob(f"{name}/__init__.py") for name in ("pip", "setuptools")]
    must(not any(map(list, tools)), "neither pip nor setuptools is in the image")
    must(image.user.split(":")[0] != "0", f"it runs as {image.user}, not as root")
    code = [*image.at(".").rglob("*"), *(image.root / "opt").rglob("*")]
    mine = [path for path in code if path.lstat().st_uid and path != image.at("var")]
    must(len(code) > len(mine) == 0, f"of {len(code)} files none is its user's to change")


def prepare(image: Image) -> None:
    """Do what an operator does before the first start."""
    refused = image.run([*image.entrypoint, *image.command])
    told = "key new" in refused.stderr
    must(told, f"without a key it refuses: {refused.stderr.strip()[-800:]}")
    for words in OPERATOR:
        done = image.run([*image.entrypoint, *words.split()])
        must(done.returncode == 0, f"safe-conduct {words} {done.stderr[-500:]}".strip())
    written = image.run(["python", "-c", "open('app/x', 'w')"])
    must(written.returncode == 1, "its user can write no code")


@contextmanager
def serving(image: Image) -> Iterator[subprocess.Popen[bytes]]:
    """Run the image as a container does, and end it whatever happens."""
    words = image.isolated([*image.entrypoint, *image.command])
    process = subprocess.Popen(words, env=image.env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def status(path: str) -> int:
    """Ask the service, which may not be there yet."""
    try:
        with urlopen(f"{URL}{path}", timeout=2) as answer:
            return int(answer.status)
    except URLError:
        return 0


def serve(image: Image) -> None:
    """Start it, ask it how it is, and stop it."""
    must(
        image.run(image.health).returncode == 1, "before it serves, the health check fails"
    )
    with serving(image) as process:
        deadline = time.monotonic() + STARTS_IN
        while not status("/livez") and process.poll() is None:
            if time.monotonic() > deadline:
                fail(f"it did not answer within {STARTS_IN} s")
            time.sleep(0.1)
        for path in ("/livez", "/readyz"):
            must(status(path) == HTTPStatus.OK, f"{path} answers 200")
        must(image.run(image.health).returncode == 0, "the health check passes")
        stop(process)
    must(
        image.run(image.health).returncode == 1, "after it stopped, the health check fails"
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM to process 1, as an engine does, while a caller is connected."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    first = int(children.read_text("utf-8"))
    uids = Path(f"/proc/{first}/status").read_text("utf-8")
    must("\nUid:\t10001\t" in uids, "process 1 is not root")
    with socket.create_connection(("127.0.0.1", 8000)):
        began = time.monotonic()
        os.kill(first, signal.SIGTERM)
        code = process.wait(STOPS_IN + 5)
    took = time.monotonic() - began
    must(took < STOPS_IN, f"it stopped {took:.1f} s after SIGTERM, with a caller connected")
    must(code in {0, 128 + signal.SIGTERM}, f"it ended well ({code})")


def main() -> None:
    """Build, look, prepare, serve, stop."""
    require_buildah()
    unshare_mounts()
    began = time.monotonic()
    with bench() as folder:
        report_version()
        make_base(folder / "base")
        builder = Builder(folder)
        builder.import_base(folder / "base")
        image = builder.build()
        print(f"  built in {time.monotonic() - began:.0f} s")
        judge(image)
        only_loopback()
        as_container(image)
        image.env["SAFE_CONDUCT_ENVIRONMENT"] = "drill"  # its mechanism is made up
        prepare(image)
        serve(image)
    print(f"{SHOWN}\nrehearse: passed in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
