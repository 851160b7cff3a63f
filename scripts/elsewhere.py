"""Run the tests in minimal Debian installations: `make test-elsewhere`.

- `newest`: git, make, python3, python3-venv, and the newest tzdata of Debian.
- `older`: the same with the zone files of an older tzdata, in three time zones in turn.

In each installation, a new user clones the last commit and follows the README: `make run`
until the service responds, and then the given targets. The script needs root, to mount file
systems, and the package archives that apt and pip of this machine use. The kernel, the
clock and the processors are those of this machine.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from host import add_mount, get_index_variables, split_mounts

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = "git,make,python3,python3-venv,ca-certificates"
SUITE: Final = "trixie"
OLDER_TZDATA: Final = "2024.1"
"""A release of tzdata from before the changes in Paraguay (2024) and Cuba (2026)."""
TIME_ZONES: Final = ("UTC", "Asia/Tashkent", "America/Havana")
TRUST: Final = ("etc/ssl/certs/ca-certificates.crt", "etc/pip.conf", "etc/resolv.conf")
"""Files that apt, pip and the resolver need to reach the archives."""
USER: Final = "newcomer"
HOME: Final = f"/home/{USER}"
SERVE: Final = """cd safe-conduct
setsid make run > ../run.log 2>&1 &
served=$!
for second in $(seq 300); do
    sleep 1
    kill -0 $served || break
    python3 -c 'import urllib.request as r; r.urlopen("http://127.0.0.1:8000/readyz")' \
        2> /dev/null && ready=yes && break
done
kill -TERM -$served 2> /dev/null
wait $served
cat ../run.log
test -n "$ready"
"""
"""Start the demonstration, wait until it is ready, and stop it. Its database stays."""
LOGS: Final = ROOT / ".elsewhere"
ROOTS: Final = ("newest", "older")


@dataclass(frozen=True)
class TargetRun:
    """A run of one make target in one installation and time zone."""

    root: Path
    target: str
    time_zone: str

    @property
    def name(self) -> str:
        """The name of the run in the summary and in the log file."""
        zone = self.time_zone.replace("/", "-")
        return f"{self.root.name}-{zone}-{self.target}"


def run(*words: str | Path, folder: Path | None = None) -> None:
    """Run a command. Raises CalledProcessError if the command fails."""
    subprocess.run([*words], check=True, cwd=folder)


def make_root(root: Path) -> None:
    """Install a minimal Debian with the packages that the README names, and add a user."""
    if not shutil.which("mmdebstrap"):
        run("apt-get", "install", "--yes", "mmdebstrap")
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    given = [sources] if sources.exists() else []
    run(
        "mmdebstrap",
        "--quiet",
        "--variant=apt",
        f"--include={PACKAGES}",
        SUITE,
        root,
        *given,
    )
    for name in TRUST:
        if (source := Path("/") / name).exists():
            shutil.copyfile(source, root / name)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")
    add_user(root)


def add_user(root: Path) -> None:
    """Add a user without useradd, which a minimal Debian does not have."""
    for name, line in (
        ("passwd", f"{USER}:x:1000:1000::{HOME}:/bin/sh"),
        ("group", f"{USER}:x:1000:"),
    ):
        with (root / "etc" / name).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    home = root / HOME.lstrip("/")
    home.mkdir()
    os.chown(home, 1000, 1000)


def replace_zones(root: Path) -> None:
    """Replace the time zone files of a root with files of an older tzdata."""
    folder = root / "tmp/tzdata"
    pip = [sys.executable, "-m", "pip"] if has_pip() else [ROOT / ".uv/bin/pip"]
    run(
        *pip,
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        folder,
        f"tzdata=={OLDER_TZDATA}",
    )
    [wheel] = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    shutil.copytree(
        folder / "tzdata/zoneinfo", root / "usr/share/zoneinfo", dirs_exist_ok=True
    )


def has_pip() -> bool:
    """Return whether this Python has pip."""
    command = [sys.executable, "-m", "pip", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def enable_mounts(root: Path) -> None:
    """Mount /proc, /dev, /dev/pts, /dev/shm and /sys into a root."""
    add_mount("-t", "proc", "proc", f"{root}/proc")
    add_mount("--bind", "/dev", f"{root}/dev")
    add_mount("--bind", "/dev/pts", f"{root}/dev/pts")
    add_mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(root / "dev/shm"))
    add_mount("--bind", "/sys", f"{root}/sys")


def copy_checkout(root: Path) -> None:
    """Clone the last commit into the home directory of the new user."""
    bundle = root / "tmp/safe-conduct.bundle"
    run("git", "bundle", "create", "--quiet", bundle, "HEAD", folder=ROOT)
    bundle.chmod(0o644)
    run_inside(
        root, f"git clone --quiet /tmp/{bundle.name} safe-conduct", {}
    ).check_returncode()


def run_inside(
    root: Path, command: str, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a shell command as the new user, and return the completed process."""
    own = {"PATH": "/usr/bin:/bin", "HOME": HOME, "USER": USER}
    env = own | get_index_variables() | dict(variables)
    shell = f"cd {HOME} && {command}"
    chroot = shutil.which("chroot") or "/usr/sbin/chroot"
    words = [chroot, f"--userspec={USER}", str(root), "/bin/sh", "-c", shell]
    return subprocess.run(
        words,
        env=env,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def prepare(folder: Path, chosen: Sequence[str]) -> Iterator[Path]:
    """Create each chosen root, install the project in it, and yield its path."""
    for name in chosen:
        print(f"{name}: installing Debian {SUITE} and the project", flush=True)
        root = folder / name
        make_root(root)
        if name == "older":
            replace_zones(root)
        enable_mounts(root)
        copy_checkout(root)
        for command in ("make -C safe-conduct setup", SERVE):
            done = run_inside(root, command, {})
            if done.returncode:
                sys.exit(done.stdout[-3000:])
        yield root


def list_runs(
    root: Path, targets: Sequence[str], time_zones: Sequence[str]
) -> Iterator[TargetRun]:
    """Yield the runs of a root: each target in UTC for `newest`, else in each time zone."""
    zones = time_zones if root.name == "older" else TIME_ZONES[:1]
    for target in targets:
        yield from (TargetRun(root, target, zone) for zone in zones)


def run_target(one: TargetRun) -> bool:
    """Run a target, log its output, print a summary, and return whether it passed."""
    began = time.monotonic()
    set_zone(one.root, one.time_zone)
    done = run_inside(one.root, f"make -C safe-conduct {one.target}", {"TZ": one.time_zone})
    (LOGS / f"{one.name}.log").write_text(done.stdout, "utf-8")
    last = [
        line for line in done.stdout.splitlines() if "passed" in line or "failed" in line
    ]
    result = "passed" if done.returncode == 0 else "FAILED"
    took = time.monotonic() - began
    print(
        f"{one.name}: {result} in {took:.0f} s: {(last or ['no summary'])[-1]}",
        flush=True,
    )
    return done.returncode == 0


def set_zone(root: Path, name: str) -> None:
    """Set the time zone of a root as an administrator would."""
    (root / "etc/timezone").write_text(f"{name}\n", "utf-8")
    link = root / "etc/localtime"
    link.unlink(missing_ok=True)
    link.symlink_to(f"/usr/share/zoneinfo/{name}")


def main() -> int:
    """Run the targets, and return 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="+", help="targets of the Makefile")
    parser.add_argument("--roots", nargs="+", choices=ROOTS, default=ROOTS)
    parser.add_argument(
        "--time-zones",
        nargs="+",
        choices=TIME_ZONES,
        default=TIME_ZONES,
        help="time zones of the installation `older`, in this order",
    )
    args = parser.parse_args()
    split_mounts()
    LOGS.mkdir(exist_ok=True)
    folder = Path(mkdtemp(prefix="safe-conduct-roots-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        results = [
            run_target(one)
            for root in prepare(folder, args.roots)
            for one in list_runs(root, args.targets, args.time_zones)
        ]
    finally:
        for place in list_mounts(folder):
            run("umount", "--lazy", place)
        shutil.rmtree(folder)
    return 0 if all(results) else 1


def list_mounts(folder: Path) -> list[str]:
    """Return the mount points below a folder, the last one first."""
    lines = Path("/proc/self/mounts").read_text("utf-8").splitlines()
    places = [line.split()[1] for line in lines]
    return [place for place in reversed(places) if place.startswith(str(folder))]


if __name__ == "__main__":
    sys.exit(main())
