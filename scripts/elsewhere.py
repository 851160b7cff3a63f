"""Run the tests on other machines: bare Debian roots, `make test-elsewhere`.

- `newest`: git, make, python3, python3-venv, and the newest tzdata that Debian has.
- `older`: the same with the zone files of an older tzdata, in each of three time zones.

In each root a new user clones the last commit, as the README says, and runs the targets
that are named; if none is, `make test` and `make test-all`. It needs root, for mounts, and
the package archives that apt and pip of this machine are told to use. The kernel, the
clock and the processors are those of this machine.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = "git,make,python3,python3-venv,ca-certificates"
SUITE: Final = "trixie"
OLDER_TZDATA: Final = "2024.1"
"""A release of the PyPI package tzdata: before Kazakhstan, Paraguay and Cuba changed."""
TIME_ZONES: Final = ("UTC", "Asia/Tashkent", "America/Havana")
TRUST: Final = ("etc/ssl/certs/ca-certificates.crt", "etc/pip.conf", "etc/resolv.conf")
"""Files that say which certificates and which archives this machine trusts."""
PASSED_ON: Final = ("PIP_", "SSL_CERT_", "http_proxy", "https_proxy", "no_proxy")
USER: Final = "newcomer"
HOME: Final = f"/home/{USER}"
LOGS: Final = ROOT / ".elsewhere"
UNSHARED: Final = "SAFE_CONDUCT_TEST_UNSHARED"
"""Set in the process that has a mount namespace of its own."""


@dataclass(frozen=True)
class Visit:
    """One run of one target in a root, with the time zone that the machine is set to."""

    root: Path
    target: str
    time_zone: str

    @property
    def name(self) -> str:
        """Name the run, for people and for a file."""
        zone = self.time_zone.replace("/", "-")
        return f"{self.root.name}-{zone}-{self.target}"


def run(*words: str | Path, **more: str | Path) -> None:
    """Run a command, or fail."""
    subprocess.run([*words], check=True, **more)  # type: ignore[call-overload]


def unshare_mounts() -> None:
    """Begin again in a mount namespace of our own, so that every mount ends with us."""
    if os.environ.get(UNSHARED):
        return
    if os.getuid() != 0:
        sys.exit("make test-elsewhere mounts file systems: run it as root.")
    words = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
    os.execvpe("unshare", words, {**os.environ, UNSHARED: "1"})


def make_root(root: Path) -> None:
    """Install a minimal Debian with what the README asks for, and a user."""
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
    add_user(root)


def add_user(root: Path) -> None:
    """Add a user: a minimal Debian has no useradd."""
    for name, line in (
        ("passwd", f"{USER}:x:1000:1000::{HOME}:/bin/sh"),
        ("group", f"{USER}:x:1000:"),
    ):
        with (root / "etc" / name).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    home = root / HOME.lstrip("/")
    home.mkdir()
    os.chown(home, 1000, 1000)


def put_older_zones(root: Path) -> None:
    """Replace the zone files of a root by those of an older release of tzdata."""
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
    asked = [sys.executable, "-m", "pip", "--version"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def mount_into(root: Path) -> None:
    """Give a root the file systems of the kernel, and memory to share."""
    run("mount", "-t", "proc", "proc", root / "proc")
    run("mount", "--bind", "/dev", root / "dev")
    run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "dev/shm")
    run("mount", "--bind", "/sys", root / "sys")


def clone_into(root: Path) -> None:
    """Clone the last commit into the home of the new user."""
    bundle = root / "tmp/safe-conduct.bundle"
    run("git", "bundle", "create", "--quiet", bundle, "HEAD", cwd=ROOT)
    bundle.chmod(0o644)
    run_inside(
        root, f"git clone --quiet /tmp/{bundle.name} safe-conduct", {}
    ).check_returncode()


def run_inside(
    root: Path, command: str, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a shell command as the new user, and return what it printed."""
    passed = {k: v for k, v in os.environ.items() if k.startswith(PASSED_ON)}
    env = {"PATH": "/usr/bin:/bin", "HOME": HOME, "USER": USER} | passed | dict(variables)
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


def prepare(folder: Path, chosen: list[str]) -> Iterator[Path]:
    """Make the roots that were chosen, with the code set up in each of them."""
    for name in chosen:
        print(f"{name}: installing Debian {SUITE} and the project", flush=True)
        root = folder / name
        make_root(root)
        if name == "older":
            put_older_zones(root)
        mount_into(root)
        clone_into(root)
        done = run_inside(root, "make -C safe-conduct setup", {})
        if done.returncode:
            sys.exit(done.stdout[-3000:])
        yield root


def visits(root: Path, targets: list[str]) -> Iterator[Visit]:
    """List what is run in a root: each target, in each time zone."""
    zones = TIME_ZONES if root.name == "older" else TIME_ZONES[:1]
    for target in targets:
        yield from (Visit(root, target, zone) for zone in zones)


def carry_out(visit: Visit) -> bool:
    """Run one target; keep what it printed, and print how it ended."""
    began = time.monotonic()
    set_zone(visit.root, visit.time_zone)
    done = run_inside(
        visit.root, f"make -C safe-conduct {visit.target}", {"TZ": visit.time_zone}
    )
    (LOGS / f"{visit.name}.log").write_text(done.stdout, "utf-8")
    last = [
        line for line in done.stdout.splitlines() if "passed" in line or "failed" in line
    ]
    result = "passed" if done.returncode == 0 else "FAILED"
    took = time.monotonic() - began
    print(
        f"{visit.name}: {result} in {took:.0f} s: {(last or ['no summary'])[-1]}",
        flush=True,
    )
    return done.returncode == 0


def set_zone(root: Path, name: str) -> None:
    """Set the time zone of a root, as its administrator would."""
    (root / "etc/timezone").write_text(f"{name}\n", "utf-8")
    link = root / "etc/localtime"
    link.unlink(missing_ok=True)
    link.symlink_to(f"/usr/share/zoneinfo/{name}")


def main() -> int:
    """Run what is asked for; return 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=["test", "test-all"])
    parser.add_argument("--roots", nargs="+", default=["newest", "older"])
    args = parser.parse_args()
    unshare_mounts()
    LOGS.mkdir(exist_ok=True)
    folder = Path(mkdtemp(prefix="safe-conduct-roots-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        results = [
            carry_out(visit)
            for root in prepare(folder, args.roots)
            for visit in visits(root, args.targets)
        ]
    finally:
        for place in mounted_below(folder):
            run("umount", "--lazy", place)
        shutil.rmtree(folder)
    return 0 if all(results) else 1


def mounted_below(folder: Path) -> list[str]:
    """List what is mounted below a folder, the last first."""
    lines = Path("/proc/self/mounts").read_text("utf-8").splitlines()
    places = [line.split()[1] for line in lines]
    return [place for place in reversed(places) if place.startswith(str(folder))]


if __name__ == "__main__":
    sys.exit(main())
