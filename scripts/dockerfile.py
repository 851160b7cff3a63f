"""Carry out a Dockerfile's instructions on bare root file systems, one for each stage.

An instruction it does not know is an error: nothing is passed over.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from bare_root import copy, fail, mount

ROOT: Final = Path(__file__).parents[1]
OF_THE_BUILDER: Final = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs", "/usr/share/ca-certificates"),
    *("/usr/local/share/ca-certificates", "/etc/pip.conf", "/etc/xdg/pip"),
)
"""How a builder reaches its package index: lent to RUN, not part of an image."""

LENT: Final = re.compile(r"pip_|ssl_cert|requests_ca|https?_proxy|no_proxy", re.IGNORECASE)


@dataclass
class Stage:
    """A root file system in the making, and what is said of it."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def at(self, path: str) -> Path:
        """Find a path of this file system from outside."""
        return self.root / (Path(self.workdir) / path).relative_to("/")

    def isolated(self, words: Sequence[str]) -> list[str]:
        """Spell a command as process 1 in this root, as this user."""
        user, group = self.user.split(":")
        where = ["--root", str(self.root), "--wd", self.workdir]
        who = ["--setgid", group, "--setuid", user]
        return ["unshare", "--pid", "--fork", "--kill-child", *where, *who, "--", *words]

    def run(self, words: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.isolated(words),
            env=self.env | more,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Read it: one instruction a line, once continued lines are joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


def filled(text: str, values: dict[str, str]) -> str:
    """Put variables in their places."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values.get(found[1], ""), text)


def words_of(rest: str) -> list[str]:
    """Read a command: a list as it is, else a line for the shell."""
    return json.loads(rest) if rest.startswith("[") else ["/bin/sh", "-c", rest]


def build(base: Path, folder: Path) -> Stage:
    """Carry out every instruction; the last stage is the image."""
    stages: dict[str, Stage] = {}
    arguments: dict[str, str] = {}
    stage = Stage(base)
    for word, rest in instructions((ROOT / "Dockerfile").read_text("utf-8")):
        print(f"{word} {rest}", flush=True)
        match word:
            case "ARG":
                name, _, value = rest.partition("=")
                arguments[name] = value
            case "FROM":
                image, *name_of = filled(rest, arguments).split(" AS ")
                stage = begin(image, base, folder / f"stage{len(stages)}")
                stages[name_of[0] if name_of else ""] = stage
            case "COPY":
                carry(stage, rest, stages)
            case _:
                obey(stage, word, rest)
    return stage


def begin(image: str, base: Path, root: Path) -> Stage:
    """Begin a stage with a base that stands for its image."""
    asked = re.fullmatch(r"python:(\d+\.\d+)(\.\d+)?-slim\S*", image) or fail(
        f"FROM {image}"
    )
    here = ".".join(map(str, sys.version_info[:2]))
    if asked[1] != here:
        print(f"  note: {image} has Python {asked[1]}, rehearsed with {here}")
    shutil.copytree(base, root, symlinks=True)
    for name in ("null", "urandom", "zero"):
        (root / "dev" / name).touch()
        mount("--bind", f"/dev/{name}", str(root / "dev" / name))
    return Stage(root, env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/root"})


def obey(stage: Stage, word: str, rest: str) -> None:
    """Carry out an instruction that concerns one stage alone."""
    match word:
        case "RUN":
            step(stage, words_of(rest))
        case "ENV":
            pairs = (pair.partition("=") for pair in shlex.split(rest))
            stage.env |= {name: filled(value, stage.env) for name, _, value in pairs}
        case "WORKDIR":
            stage.workdir = rest
            stage.at(".").mkdir(parents=True, exist_ok=True)
        case "USER":
            stage.user = rest
        case "ENTRYPOINT":
            stage.entrypoint = words_of(rest)
        case "CMD":
            stage.command = words_of(rest)
        case "HEALTHCHECK":
            stage.health = words_of(rest.partition("CMD ")[2])
        case "LABEL" | "EXPOSE" | "VOLUME" | "STOPSIGNAL":
            pass
        case _:
            fail(f"this rehearsal does not know {word}")


def step(stage: Stage, words: list[str]) -> None:
    """Run a step of the build, with the builder's way to its package index."""
    lent = [Path(path) for path in OF_THE_BUILDER if Path(path).exists()]
    for path in lent:
        copy(path, stage.root)
    settings = {name: value for name, value in os.environ.items() if LENT.match(name)}
    done = stage.run(words, **settings)
    for path in lent:
        subprocess.run(["rm", "-rf", stage.root / path.relative_to("/")], check=True)
    if done.returncode:
        fail(f"{shlex.join(words)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def carry(stage: Stage, rest: str, stages: dict[str, Stage]) -> None:
    """Copy from the context, less what .dockerignore keeps out, or from another stage."""
    words = rest.split()
    options = [word for word in words if word.startswith("--")]
    *sources, target = words[len(options) :]
    if not options:
        for source in sources:
            carry_context(stage, source, target)
        return
    whence = re.fullmatch(r"--from=(\w+)", options.pop()) or fail(f"COPY {rest}")
    if options:
        fail(f"COPY {rest}")
    for source in sources:
        found = stages[whence[1]].at(source)
        shutil.copytree(found, stage.at(target), symlinks=True, dirs_exist_ok=True)


def carry_context(stage: Stage, source: str, target: str) -> None:
    """Copy a file, or what is in a folder."""
    found = ROOT / source
    files = [path for path in found.rglob("*") if path.is_file()] or [found]
    kept = [path for path in files if not ignored(str(path.relative_to(ROOT)))]
    if not kept:
        fail(f"COPY {source}: .dockerignore leaves nothing of it")
    for path in kept:
        inside = path.relative_to(found) if found.is_dir() else Path(found.name)
        where = stage.at(target) / inside
        where.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, where)


def ignored(path: str) -> bool:
    """Say whether .dockerignore keeps a file out: the last line that fits decides."""
    out = False
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    ways = [path, *map(str, Path(path).parents)]
    for line in [line for line in lines if line and not line.startswith("#")]:
        pattern = line.removeprefix("!").removeprefix("**/")
        deep = line.startswith("**/")
        if any(fnmatch(Path(way).name if deep else way, pattern) for way in ways):
            out = not line.startswith("!")
    return out
