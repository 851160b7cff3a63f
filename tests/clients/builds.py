"""Functions that build the clients. Each `build_` function returns the command to run."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.clients.commands import (
    HERE,
    ROOT,
    TOOLS,
    WORK,
    create_folder,
    install_packages_of_npm,
    run,
    run_quietly,
)

CONTRACT: Final = ROOT / "openapi" / "openapi-3.1.json"
WITHOUT_WEBHOOKS: Final = ROOT / "openapi" / "openapi-3.1-client.json"
PACKAGE: Final = "org.safeconduct.client"
JAVA: Final = (
    "openApiNullable=false",
    "useJakartaEe=true",
    "hideGenerationTimestamp=true",
    f"invokerPackage={PACKAGE}",
    f"apiPackage={PACKAGE}.api",
    f"modelPackage={PACKAGE}.model",
)
JAVAC_WARNINGS: Final = "-Xlint:all,-serial,-deprecation,-processing"
"""All warnings except those about serial ids, a deprecated method and annotations."""
GO: Final = (
    "packageName=safeconduct",
    "withGoMod=false",
    "enumClassPrefix=true",
    "useOneOfDiscriminatorLookup=true",
    "disallowAdditionalPropertiesIfNotPresent=false",
)
DEBIAN_LIBRARIES: Final = "/usr/share/gocode"
"""The folder in which Debian installs the sources of Go libraries."""
CODE_ONLY: Final = (
    "--global-property=apiDocs=false,modelDocs=false,apiTests=false,modelTests=false"
)


def generate(language: str, into: Path, properties: tuple[str, ...], *more: object) -> None:
    """Run openapi-generator on the contract without its webhooks.

    The code that the generator writes for webhooks does not compile.
    """
    said = ("-i", WITHOUT_WEBHOOKS, "-g", language, "-o", into, CODE_ONLY, *more)
    options = f"--additional-properties={','.join(properties)}"
    run(TOOLS / "openapi-generator-cli", "generate", *said, options)


def build_python() -> list[object]:
    """Build the client of openapi-python-client, and return the command of its journey."""
    folder = create_folder("python")
    package = folder / "safe_conduct_client"
    how = ("--meta", "none", "--output-path", package, "--fail-on-warning")
    config = ("--config", HERE / "python" / "config.yml")
    run(TOOLS / "openapi-python-client", "generate", "--path", CONTRACT, *how, *config)
    journey = shutil.copy(HERE / "python" / "journey.py", folder)
    run(TOOLS / "mypy", "--strict", "--config-file=", journey, at=folder)
    return [TOOLS / "python", "-W", "error", journey]


def build_typescript() -> list[object]:
    """Build the client of openapi-typescript, and return the command of its journey."""
    folder = install_packages_of_npm("typescript")
    types = ("--default-non-nullable=false", "-o", "schema.d.ts")
    run("npx", "openapi-typescript", CONTRACT, *types, at=folder)
    run_quietly("npx", "tsc", at=folder)
    return ["node", folder / "built" / "journey.js"]


def build_hey_api() -> list[object]:
    """Build the client of hey-api and zod, and return the command of its journey."""
    folder = install_packages_of_npm("hey-api")
    shutil.copy(CONTRACT, folder / "openapi.json")
    run("npx", "openapi-ts", "--no-log-file", at=folder)
    run_quietly("npx", "tsc", at=folder)
    return ["node", folder / "built" / "journey.js"]


def build_java() -> list[object]:
    """Build the Java client of openapi-generator, and return the command of its journey.

    The jar of the generator contains the libraries that the client needs.
    """
    folder, classes = create_folder("java"), create_folder("java/classes")
    generate("java", folder / "client", JAVA, "--library", "native")
    [jar] = (WORK / "venv").glob("lib/*/site-packages/openapi_generator_cli/*.jar")
    sources = [*folder.glob("client/src/main/**/*.java"), *HERE.glob("java/**/*.java")]
    compiling = (JAVAC_WARNINGS, "-proc:none", "-Werror", "-encoding", "UTF-8", "-cp", jar)
    run("javac", *compiling, "-d", classes, *sources)
    return ["java", "-cp", f"{classes}:{jar}", "Journey"]


def build_go() -> list[object]:
    """Build the Go client of openapi-generator, and return the command of its journey.

    Its only library is golang.org/x/oauth2, which comes from Debian: no module is
    downloaded.
    """
    folder = create_folder("go")
    generate("go", folder / "src" / "safeconduct", GO)
    shutil.copytree(HERE / "go", folder / "src" / "journey")
    program = folder / "journey"
    env = get_go_environment(folder)
    run_quietly("go", "build", "-o", program, "journey", at=folder, env=env)
    run_quietly("go", "vet", "journey", "safeconduct", at=folder, env=env)
    return [program]


def get_go_environment(folder: Path) -> Mapping[str, str]:
    """Return the environment in which Go compiles without a network and without C."""
    path = os.pathsep.join((str(folder), DEBIAN_LIBRARIES))
    return {"GO111MODULE": "off", "GOPATH": path, "CGO_ENABLED": "0", "GOFLAGS": ""}


BUILDS: Final[Mapping[str, Callable[[], list[object]]]] = {
    "Go": build_go,
    "Java": build_java,
    "hey-api": build_hey_api,
    "TypeScript": build_typescript,
    "Python": build_python,
}
"""The function that builds each client. The slowest builds come first."""
