"""Tests that `make sbom` lists the packages in CycloneDX format, without URLs or paths."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import sbom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.support.source_code import ROOT
from tests.support.world import Json

REQUIREMENTS = ROOT / "requirements"
RUN = (REQUIREMENTS / "run.txt").read_text("utf-8")


@pytest.fixture(scope="module")
def document() -> Json:
    return sbom.describe_installation()


def find_component(document: Json, name: str) -> Json:
    [found] = [one for one in document["components"] if one["name"] == name]
    return dict(found)


def get_hashes(one: Json) -> set[str]:
    assert {each["alg"] for each in one["hashes"]} == {"SHA-256"}
    return {each["content"] for each in one["hashes"]}


def list_strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for part in value.values() for text in list_strings(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in list_strings(part))


def test_every_package_of_production_is_named_with_its_version_and_hashes(
    document: Json,
) -> None:
    pinned = re.findall(r"^(\S+)==(\S+)((?:.*\\\n)+.*)", RUN, re.MULTILINE)
    required = [one for one in document["components"] if one["scope"] == "required"]

    assert len(pinned) == len(re.findall("^[a-z]", RUN, re.MULTILINE)) > 40
    assert {(one["name"], one["version"]) for one in required} == {
        (name, pin) for name, pin, _ in pinned
    }
    for name, pin, rest in pinned:
        found = find_component(document, name)
        assert get_hashes(found) == set(re.findall("sha256:([0-9a-f]{64})", rest))
        assert found["purl"] == f"pkg:pypi/{name}@{pin}"


def test_what_only_builds_and_what_only_some_platforms_need_is_told_apart(
    document: Json,
) -> None:
    built_with = find_component(document, "setuptools")
    elsewhere = find_component(document, "colorama")

    assert built_with["scope"] == "excluded"
    assert elsewhere["properties"] == [
        {"name": sbom.MARKER, "value": "sys_platform == 'win32'"}
    ]


def test_the_script_of_the_page_is_named_too(document: Json) -> None:
    page = find_component(document, "swagger-ui-dist")

    assert re.fullmatch(r"pkg:npm/swagger-ui-dist@\d+\.\d+\.\d+", page["purl"])
    assert len(get_hashes(page)) == 1


def test_each_package_is_there_because_something_requires_it(document: Json) -> None:
    requires = {one["ref"]: one.get("dependsOn", []) for one in document["dependencies"]}
    reached, waiting = set[str](), ["safe-conduct"]
    while waiting:
        reached.add(one := waiting.pop())
        waiting += set(requires[one]) - reached

    product = document["metadata"]["component"]
    wanted = [one for one in document["components"] if one["scope"] != "excluded"]
    assert (product["name"], product["version"]) == (
        "safe-conduct",
        version("safe-conduct"),
    )
    assert reached == {"safe-conduct", *(one["bom-ref"] for one in wanted)}
    [starlette] = [ref for ref in requires if ref.startswith("pkg:pypi/starlette@")]
    [fastapi] = [ref for ref in requires if ref.startswith("pkg:pypi/fastapi@")]
    assert starlette in requires[fastapi]


def test_it_is_valid_cyclonedx(document: Json) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    broken = {**document, "components": [{**document["components"][0], "hash": "1"}]}

    assert validator.validate_str(json.dumps(document)) is None
    assert validator.validate_str(json.dumps(broken)) is not None


def test_it_names_no_address_and_no_path(document: Json) -> None:
    texts = [*list_strings({**document, "$schema": ""})]

    assert [text for text in texts if re.search(r"://|\.(org|com|io|net)\b", text)] == []
    assert [text for text in texts if text.startswith("/") or str(ROOT) in text] == []


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts/sbom.py")]
    for seed in ("1", "2"):
        subprocess.run(
            [*command, tmp_path / seed],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    first, second = ((tmp_path / seed).read_bytes() for seed in ("1", "2"))
    assert first == second
    assert {"serialNumber", "timestamp"}.isdisjoint(re.findall(r'"(\w+)":', first.decode()))


def test_it_is_written_where_git_does_not_look() -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()

    assert sbom.WRITTEN.parent == ROOT / "build"
    assert "build/" in ignored
