"""Build a root file system with the Python, libraries and shell of this machine."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

PROGRAMS: Final = ("sh", "install", "chmod")
BESIDE_LIBC: Final = (
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libstdc++.so.6",
    "libgcc_s.so.1",
)
"""Libraries of every Debian image. Wheels are linked with them."""


def fail(why: str) -> NoReturn:
    """Print the reason and exit."""
    sys.exit(f"rehearse: FAILED: {why}")


def copy_below(source: Path, root: Path) -> None:
    """Copy a file or folder to the same path below another root."""
    target = root / source.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    excluded = shutil.ignore_patterns(
        "site-packages", "dist-packages", "__pycache__", "test", "EXTERNALLY-MANAGED"
    )
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=excluded, dirs_exist_ok=True)
    elif source.exists() and not target.exists():
        shutil.copy2(source, target)


def find_libraries(files: Sequence[Path]) -> set[Path]:
    """Return the shared libraries that the given files need."""
    listed = subprocess.run(["ldd", *files], capture_output=True, text=True, check=True)
    return {Path(found) for found in re.findall(r"(/\S+\.so\S*) \(", listed.stdout)}


def make_base(root: Path) -> None:
    """Create a root with Python, the libraries that it needs, and a shell."""
    for folder in ("dev", "etc", "proc", "root", "tmp", "usr/local/bin", "var"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / "usr" / name).mkdir()
        (root / name).symlink_to(f"usr/{name}")
    python = Path(os.path.realpath(sys.executable))
    stdlib = Path(sysconfig.get_path("stdlib"))
    programs = [Path(shutil.which(name) or fail(f"no {name}")) for name in PROGRAMS]
    linked = find_libraries([python, *programs, *stdlib.rglob("*.so")])
    libc = next(path for path in linked if path.name.startswith("libc.so"))
    beside = [libc.with_name(name) for name in BESIDE_LIBC]
    for path in (python, stdlib, *programs, *linked, *beside):
        copy_below(path, root)
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to(python)
    add_pip(root, stdlib)


def add_pip(root: Path, stdlib: Path) -> None:
    """Unpack the pip that is bundled with Python, as in the base image."""
    bundled = Path(
        sysconfig.get_config_var("WHEEL_PKG_DIR") or stdlib / "ensurepip/_bundled"
    )
    wheel = next(bundled.glob("pip-*.whl"), None)
    if wheel is None or not (stdlib / "ensurepip").is_dir():
        fail(f"no ensurepip in {stdlib}. On Debian: apt-get install python3-venv")
    copy_below(bundled, root)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    command = ["/usr/sbin/chroot", str(root), "/usr/local/bin/python", "-c", where]
    printed = subprocess.run(command, env={}, capture_output=True, check=True)
    zipfile.ZipFile(wheel).extractall(root / printed.stdout.decode().strip().lstrip("/"))
