"""Write app/kernel/guards.json: `make guards`.

The file lists the constraints, triggers and policies that the migrations create on a new
database of each kind. Read its difference before you commit it: nothing else notices a
guard that disappears.
"""

import json
from typing import Final

from app.kernel import guards, migrations
from app.kernel.db import Database
from tests.support.databases import clear, copies, make_home
from tests.support.servers import ROOT

FILE: Final = ROOT / "app" / "kernel" / guards.FILE


def main() -> None:
    """Migrate a database of each kind, and write its guards."""
    found, home = {}, make_home()
    try:
        for kind in ("sqlite", "postgresql"):
            with copies(kind, home) as copy, copy() as url:
                database = Database(url)
                with database.reading() as session:
                    found[kind] = guards.read_guards(session)
                database.engine.dispose()
    finally:
        clear(home)
    FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{FILE.name}: {migrations.head()}, {sum(map(len, found.values()))} guards")  # noqa: T201 - a program


if __name__ == "__main__":
    main()
