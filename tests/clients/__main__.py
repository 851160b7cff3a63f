"""Lint the contract, generate three clients, and run a journey with each: `make clients`.

Python uses openapi-python-client, TypeScript openapi-typescript, and Java
openapi-generator. The run stops if one of them prints a warning, or if a tool is missing.
The generated clients are written to .clients/.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.clock import get_utc_now
from app.webhooks.schemas import build_example
from app.webhooks.signing import build_headers, encode_secret
from tests.clients import page
from tests.support import databases
from tests.support.servers import Served, get_address, serve_world
from tests.support.world import make_consent, make_service_consent

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
CONTRACT: Final = ROOT / "openapi" / "openapi-3.1.json"
WITHOUT_WEBHOOKS: Final = ROOT / "openapi" / "openapi-3.1-client.json"
IN_3_2: Final = ROOT / "openapi" / "openapi-3.2.json"
PAGE: Final = ROOT / "docs" / "integrate.md"
WORK: Final = ROOT / ".clients"
TOOLS: Final = WORK / "venv" / "bin"
NEEDED: Final = {
    "node": "apt-get install nodejs npm",
    "npm": "apt-get install nodejs npm",
    "java": "apt-get install default-jdk-headless",
    "javac": "apt-get install default-jdk-headless",
}
CALLERS: Final = {
    "OFFICER_KEY": "UZ_CONSULATE_ALMATY",
    "LEAD_KEY": "KZ_LEAD",
    "SHELTER_KEY": "KZ_SHELTER_KOGERSHIN",
}
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
"""Warnings that the generated Java code causes: serial ids, a deprecated Jackson method."""


def print_line(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - a program


def require_tools() -> None:
    """Exit if a tool is missing, and print how to install the tool."""
    missing = {tool: how for tool, how in NEEDED.items() if shutil.which(tool) is None}
    for tool, how in missing.items():
        print_line(f"There is no {tool} here. On Debian: {how}")
    if missing:
        sys.exit(1)


def run(
    *command: object,
    at: Path = WORK,
    env: Mapping[str, str] | None = None,
    given: str | None = None,
) -> str:
    """Run a command that must succeed, and return its output."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=at,
        env={**os.environ, **(env or {})},
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print_line(done.stdout)
        sys.exit(f"This failed: {' '.join(str(part) for part in command[:3])} ...")
    return done.stdout


def create_folder(name: str) -> Path:
    """Create an empty folder."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def check_contract() -> None:
    """Check each edition of the contract with the rules of Redocly and Spectral."""
    folder = WORK / "lint"
    shutil.copytree(HERE / "lint", folder, dirs_exist_ok=True)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", at=folder)
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    told = ("--max-problems", "20", "--format", "json")
    for edition in (CONTRACT, IN_3_2):
        found = run("npx", "redocly", "lint", edition, *told, at=folder, env=quiet)
        counted = json.loads(found[found.index("{") : found.rindex("}") + 1])["totals"]
        if counted["warnings"]:
            sys.exit(found)
        run("npx", "spectral", "lint", edition, "--fail-severity", "hint", at=folder)


def build_python_client() -> list[object]:
    """Generate the Python client, and return the command of its journey."""
    folder = create_folder("python")
    package = folder / "safe_conduct_client"
    how = ("--meta", "none", "--output-path", package, "--fail-on-warning")
    config = HERE / "python" / "config.yml"
    run(
        TOOLS / "openapi-python-client",
        "generate",
        "--path",
        CONTRACT,
        *how,
        "--config",
        config,
    )
    journey = shutil.copy(HERE / "python" / "journey.py", folder)
    run(TOOLS / "mypy", "--strict", "--config-file=", journey, at=folder)
    return [TOOLS / "python", "-W", "error", journey]


def build_typescript_client() -> list[object]:
    """Generate the TypeScript client, and return the command of its journey."""
    folder = WORK / "typescript"
    shutil.copytree(HERE / "typescript", folder, dirs_exist_ok=True)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", at=folder)
    types = ("--default-non-nullable=false", "-o", "schema.d.ts")
    run("npx", "openapi-typescript", CONTRACT, *types, at=folder)
    run("npx", "tsc", at=folder)
    return ["node", folder / "built" / "journey.js"]


def build_java_client() -> list[object]:
    """Generate the Java client, and return the command of its journey.

    The jar of the generator contains the libraries that the client needs. Webhooks are left
    out, because their generated code does not compile.
    """
    folder, classes = create_folder("java"), create_folder("java/classes")
    into = ("-g", "java", "--library", "native", "-o", folder / "client")
    generator = TOOLS / "openapi-generator-cli"
    said = ("-i", WITHOUT_WEBHOOKS, *into)
    run(generator, "generate", *said, f"--additional-properties={','.join(JAVA)}")
    [jar] = (WORK / "venv").glob("lib/*/site-packages/openapi_generator_cli/*.jar")
    sources = [*folder.glob("client/src/main/**/*.java"), *HERE.glob("java/**/*.java")]
    compiling = (JAVAC_WARNINGS, "-proc:none", "-Werror", "-encoding", "UTF-8", "-cp", jar)
    run("javac", *compiling, "-d", classes, *sources)
    return ["java", "-cp", f"{classes}:{jar}", "Journey"]


CLIENTS: Final = {
    "Python": build_python_client,
    "TypeScript": build_typescript_client,
    "Java": build_java_client,
}


def verify_webhook() -> str:
    """Check that the TypeScript receiver accepts a message that the service signed."""
    secret, body = bytes(range(32)), json.dumps(build_example())
    signed = build_headers([secret], "message-1", get_utc_now(), body.encode())
    sent = {
        "secret": encode_secret(secret),
        "headers": {name.lower(): value for name, value in signed.items()},
        "body": body,
    }
    receiver = WORK / "typescript" / "built" / "receiver.js"
    return run("node", receiver, given=json.dumps(sent))


def run_page(world: Served) -> None:
    """Run the instructions of docs/integrate.md for an office that gets a case."""
    folder, lead = create_folder("page"), world.add_person("SANA_SEZIM")
    ngos = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
    allowed = [make_consent(), ngos, make_service_consent()]
    case = world.add_person("UZ_CONSULATE_ALMATY").submit(consents=allowed)
    world.wait(hours=3)
    env = {"SAFE_CONDUCT_URL": get_address(world.port), "SAFE_CONDUCT_KEY": lead.key}
    env["npm_config_ignore_scripts"] = "true"
    for title, script in page.list_scripts(PAGE.read_text(), folder):
        print_line(f"docs/integrate.md, {title}: {script.splitlines()[0]} ...")
        run("bash", "-euo", "pipefail", "-c", script, at=folder, env=env)
    if lead.read(case)["state"] != "under_review":
        sys.exit("The program in docs/integrate.md acknowledged no case.")
    if not (folder / "safe_conduct_client" / "client.py").exists():
        sys.exit("docs/integrate.md did not generate the Python client.")


@contextmanager
def serve_demo() -> Iterator[Served]:
    """Serve the demonstration directory while the context is open."""
    with databases.open_alone() as (_, url), serve_world(url) as world:
        yield world


def main() -> None:
    """Run all checks."""
    require_tools()
    check_contract()
    print_line("The contract: no warning of redocly or spectral.")
    with serve_demo() as world:
        env = {"SAFE_CONDUCT_URL": get_address(world.port)}
        env |= {name: world.add_person(code).key for name, code in CALLERS.items()}
        for name, make in CLIENTS.items():
            print_line(f"{name}: generated and compiled ...")
            command = make()
            said = run(*command, env=env)
            print_line(f"{name}: {said.strip()}")
        print_line(f"TypeScript: {verify_webhook().strip()}")
        run_page(world)


if __name__ == "__main__":
    main()
