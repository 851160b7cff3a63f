"""Build the Dockerfile without Docker and run the image: `make rehearse`.

Buildah builds the image on a bare root, which contains no more than the real base image.
The script needs root and the package index that pip is configured for. At the end, it lists
what it checked and what it did not check.
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
from host import add_mount, split_mounts
from image import Builder, Image, report_version, require_buildah

UP: Final = 0x1
SET_FLAGS: Final = 0x8914
STOP_SECONDS: Final = 10.0
START_SECONDS: Final = 30.0
URL: Final = "http://127.0.0.1:8000"
OPERATOR_COMMANDS: Final = (
    "key new",
    "migrate",
    "directory load",
    "directory load app/demo/data",
    "doctor",
)
SUMMARY: Final = """
Checked: the Dockerfile, built by buildah on a bare root with this machine's Python. Then,
as its user, with a read-only root and only the loopback network: key, migration, directory,
serving as process 1, liveness, readiness, the health check, SIGTERM.
Not checked: the base image itself (its Debian, its patch release of Python, its digest);
Docker's own builder and cache; the effect of EXPOSE, VOLUME and STOPSIGNAL; the intervals
of HEALTHCHECK; other architectures; the limits, seccomp and capabilities of a container
engine; PostgreSQL; compose.yaml, which tests/contract reads.
""".strip()


def require(condition: object, description: str) -> None:
    """Print a condition that holds, or exit if it does not hold."""
    if not condition:
        fail(f"expected: {description}")
    print(f"  ok: {description}", flush=True)


@contextmanager
def make_folder() -> Iterator[Path]:
    """Yield a folder in memory, and remove it and its mounts at the end."""
    with TemporaryDirectory(prefix="rehearse-") as folder:
        add_mount("-t", "tmpfs", "tmpfs", folder)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--recursive", "--lazy", folder], check=True)


def leave_networks() -> None:
    """Leave every network, so that only processes of this script can be reached."""
    os.unshare(os.CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", b"lo", UP))


def prepare_mounts(image: Image) -> None:
    """Mount the root read-only, with the volume and the /tmp of a container."""
    var = image.get_path("var")
    owner = var.stat()
    require(oct(owner.st_mode)[-3:] == "700", "only its user can read the volume")
    require(
        owner.st_uid == int(image.user.split(":")[0]),
        "the user of the image owns the volume",
    )
    add_mount("--bind", str(image.root), str(image.root))
    for target, options in ((var, "mode=0700"), (image.root / "tmp", "mode=1777")):
        ids = f"uid={owner.st_uid},gid={owner.st_gid}"
        add_mount("-t", "tmpfs", "-o", f"{options},{ids}", "tmpfs", str(target))
    add_mount("-o", "remount,bind,ro", str(image.root))


def check_image(image: Image) -> None:
    """Check the user and the files of the image, and exit if a check fails."""
    tools = [image.root.rglob(f"{name}/__init__.py") for name in ("pip", "setuptools")]
    require(not any(map(list, tools)), "neither pip nor setuptools is in the image")
    require(image.user.split(":")[0] != "0", f"it runs as {image.user}, not as root")
    code = [*image.get_path(".").rglob("*"), *(image.root / "opt").rglob("*")]
    own = [path for path in code if path.lstat().st_uid and path != image.get_path("var")]
    require(len(code) > len(own) == 0, f"its user cannot write to any of {len(code)} files")


def prepare(image: Image) -> None:
    """Run the commands that an operator runs before the first start."""
    without_key = image.run([*image.entrypoint, *image.command])
    advised = "key new" in without_key.stderr
    require(advised, f"no start without a key: {without_key.stderr.strip()[-800:]}")
    for words in OPERATOR_COMMANDS:
        done = image.run([*image.entrypoint, *words.split()])
        require(done.returncode == 0, f"safe-conduct {words} {done.stderr[-500:]}".strip())
    written = image.run(["python", "-c", "open('app/x', 'w')"])
    require(written.returncode == 1, "its user cannot write to the code")


@contextmanager
def run_service(image: Image) -> Iterator[subprocess.Popen[bytes]]:
    """Run the image like a container, and stop it when the context ends."""
    words = image.wrap_command([*image.entrypoint, *image.command])
    process = subprocess.Popen(words, env=image.env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def get_status(path: str) -> int:
    """Return the status code of a path, or 0 for an error status or without a response."""
    try:
        with urlopen(f"{URL}{path}", timeout=2) as answer:
            return int(answer.status)
    except URLError:
        return 0


def serve(image: Image) -> None:
    """Start the service, check its health, and stop it."""
    require(image.run(image.health).returncode == 1, "unhealthy before it serves")
    with run_service(image) as process:
        deadline = time.monotonic() + START_SECONDS
        while not get_status("/livez") and process.poll() is None:
            if time.monotonic() > deadline:
                fail(f"it did not answer within {START_SECONDS} s")
            time.sleep(0.1)
        for path in ("/livez", "/readyz"):
            require(get_status(path) == HTTPStatus.OK, f"{path} answers 200")
        require(image.run(image.health).returncode == 0, "the health check passes")
        stop(process)
    require(image.run(image.health).returncode == 1, "unhealthy after it stopped")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the service with SIGTERM, while a client is connected."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    first = int(children.read_text("utf-8"))
    uids = Path(f"/proc/{first}/status").read_text("utf-8")
    require("\nUid:\t10001\t" in uids, "process 1 is not root")
    with socket.create_connection(("127.0.0.1", 8000)):
        began = time.monotonic()
        os.kill(first, signal.SIGTERM)
        code = process.wait(STOP_SECONDS + 5)
    took = time.monotonic() - began
    require(
        took < STOP_SECONDS,
        f"stopped {took:.1f} s after SIGTERM with a client connected",
    )
    require(code in {0, 128 + signal.SIGTERM}, f"its exit code is {code}")


def main() -> None:
    """Build and check the image, prepare it, serve, and stop."""
    require_buildah()
    split_mounts()
    began = time.monotonic()
    with make_folder() as folder:
        report_version()
        make_base(folder / "base")
        builder = Builder(folder)
        builder.import_base(folder / "base")
        image = builder.build()
        print(f"  built in {time.monotonic() - began:.0f} s")
        check_image(image)
        leave_networks()
        prepare_mounts(image)
        image.env["SAFE_CONDUCT_ENVIRONMENT"] = "drill"  # permits fictitious data
        prepare(image)
        serve(image)
    print(f"{SUMMARY}\nrehearse: passed in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
