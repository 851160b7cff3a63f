"""Build the container image with Debian's buildah, on a bare root.

Buildah reads the Dockerfile and .dockerignore as Docker does, and needs no daemon: `RUN`
uses a chroot. A root with the Python of this machine replaces the base image, so no
registry is needed.
"""

import json
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bare_root import fail
from host import get_index_variables

CHECKOUT: Final = Path(__file__).parents[1]
BASE: Final = "localhost/python:bare"
IMAGE: Final = "localhost/safe-conduct:rehearsed"
PACKAGES: Final = ("buildah", "netavark")
TRUST: Final = ("/etc/resolv.conf", "/etc/ssl/certs", "/etc/pip.conf", "/etc/xdg/pip")
"""Files that pip needs to reach its index. They are mounted for RUN, not copied."""
LIMITS: Final = {"nproc": resource.RLIMIT_NPROC, "nofile": resource.RLIMIT_NOFILE}
"""Limits that buildah raises by default, which an outer container may not permit."""


@dataclass(frozen=True)
class Image:
    """The root file system of an image, with its configuration."""

    root: Path
    env: dict[str, str]
    workdir: str
    user: str
    entrypoint: list[str]
    command: list[str]
    health: list[str]

    def get_path(self, path: str) -> Path:
        """Return the path on this machine for a path in the image."""
        return self.root / (Path(self.workdir) / path).relative_to("/")

    def wrap_command(self, words: Sequence[str]) -> list[str]:
        """Return the command that runs `words` as process 1, as the user of the image."""
        user, group = self.user.split(":")
        where = ["--root", str(self.root), "--wd", self.workdir]
        who = ["--setgid", group, "--setuid", user]
        return ["unshare", "--pid", "--fork", "--kill-child", *where, *who, "--", *words]

    def run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the image, for at most 600 seconds, and return the result."""
        return subprocess.run(
            self.wrap_command(words),
            env=self.env,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


@dataclass(frozen=True)
class Builder:
    """A wrapper for buildah that keeps its storage in a temporary folder."""

    folder: Path

    def run(self, *words: str | Path, show: bool = False) -> str:
        """Run a buildah command and return its output, or exit if it fails.

        With `show`, the output is printed, and an empty string is returned.
        """
        store = [f"--root={self.folder}/store", f"--runroot={self.folder}/run"]
        done = subprocess.run(
            ["buildah", "--storage-driver", "vfs", *store, *words],
            stdout=None if show else subprocess.PIPE,
            stderr=None if show else subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            fail(f"buildah {words[0]}: {(done.stdout or '')[-2000:]}")
        return (done.stdout or "").strip()

    def import_base(self, root: Path) -> None:
        """Create the base image from a root file system."""
        container = self.run("from", "scratch")
        self.run("add", "--quiet", container, root, "/")
        self.run("commit", "--quiet", "--rm", container, BASE)

    def build(self) -> Image:
        """Build the image from the Dockerfile, mount it and return it."""
        limits = {name: resource.getrlimit(kind) for name, kind in LIMITS.items()}
        passed = get_index_variables()
        self.run(
            "build",
            "--isolation=chroot",
            "--format=docker",
            f"--tag={IMAGE}",
            f"--build-arg=PYTHON_IMAGE={BASE}",
            *(f"--ulimit={name}={soft}:{hard}" for name, (soft, hard) in limits.items()),
            *(f"--volume={path}:{path}:ro" for path in TRUST if Path(path).exists()),
            *(f"--env={name}" for name in passed),
            *(f"--unsetenv={name}" for name in passed),
            CHECKOUT,
            show=True,
        )
        container = self.run("from", IMAGE)
        root = Path(self.run("mount", container))
        inspected = json.loads(self.run("inspect", "--type", "image", IMAGE))
        return make_image(root, inspected["Docker"]["config"])


def make_image(root: Path, config: dict[str, Any]) -> Image:
    """Return an image with the given root and configuration."""
    check = config.get("Healthcheck", {}).get("Test", [])
    if check[:1] != ["CMD"]:
        fail("the image has no health check of the form CMD")
    return Image(
        root=root,
        env=dict(pair.split("=", 1) for pair in config["Env"]),
        workdir=config["WorkingDir"],
        user=config["User"],
        entrypoint=config["Entrypoint"],
        command=config["Cmd"],
        health=check[1:],
    )


def require_buildah() -> None:
    """Install buildah from Debian if it is missing, or exit if that fails."""
    if not shutil.which("buildah"):
        words = ["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES]
        if subprocess.run(words, check=False).returncode:
            fail("buildah is missing. On Debian: apt-get install buildah netavark")


def report_version() -> None:
    """Print a note if the Dockerfile names another minor version of Python."""
    text = (CHECKOUT / "Dockerfile").read_text("utf-8")
    named = re.search(r"PYTHON_IMAGE=python:(\d+\.\d+)", text) or fail("no PYTHON_IMAGE")
    here = ".".join(map(str, sys.version_info[:2]))
    if named[1] != here:
        print(f"  note: the image has Python {named[1]}, this machine {here}")
