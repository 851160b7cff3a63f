"""Write app/kernel/guards.json: `make guards`.

The file lists the constraints, triggers and policies that the migrations create in a new
database of each kind, and those that a restored dump formats differently. Read the
differences before you commit the file: no test detects that one of them has disappeared.
"""

import json
import sys
from typing import Final

from app.kernel import guards, schema_version
from app.kernel.db import Database
from tests.support.databases import clear, make_copies, make_home
from tests.support.dumps import restore_dump
from tests.support.servers import ROOT

FILE: Final = ROOT / "app" / "kernel" / guards.FILE


def read_guards(url: str) -> guards.Catalogue:
    """Return the guards of a database."""
    database = Database(url)
    with database.begin_read() as session:
        found = guards.read_guards(session)
    database.engine.dispose()
    return found


def main() -> None:
    """Migrate a database of each kind, and write triggers and other guards to a file."""
    found, home = dict[str, guards.Catalogue](), make_home()
    try:
        for kind in ("sqlite", "postgresql"):
            with make_copies(kind, home) as copy, copy() as url:
                found[kind] = read_guards(url)
                if kind != "sqlite":
                    with restore_dump(url, home) as restored:
                        changed = read_guards(restored).items() - found[kind].items()
                    found[guards.RESTORED.format(kind)] = dict(sorted(changed))
    finally:
        clear(home)
    FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    newest, count = schema_version.get_newest_migration(), sum(map(len, found.values()))
    sys.stdout.write(f"{FILE.name}: {newest}, {count} guards\n")


if __name__ == "__main__":
    main()
