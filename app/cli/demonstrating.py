"""The demonstration: a made-up mechanism, a journey through it, and a service to try."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import uvicorn

from app.cli.serving import alone, ground_of, migrate, must_be_ready, server
from app.demo.cast import OFFICER, Stage, give_keys, load_mechanism
from app.demo.story import Story
from app.demo.words import REFERENCE
from app.kernel.keyfile import FileKeys
from app.kernel.work import Ground
from app.main import create_app
from app.settings import Settings

PATIENCE: Final = timedelta(seconds=30)
type Say = Callable[[str], None]


def prepare(settings: Settings) -> None:
    """Make what a first run lacks: a key and the tables."""
    if not settings.key_file.exists():
        FileKeys.create(settings.key_file)
    migrate(settings)


def keys_for(ground: Ground) -> dict[str, str]:
    """Load the made-up mechanism and give its cast keys for a day."""
    with ground.database.writing() as session:
        stage = Stage(session, ground.clock(), ground.ids)
        load_mechanism(stage)
        return give_keys(stage)


def play(settings: Settings, say: Say) -> None:
    """Play the journey against the running service of these settings."""
    ground = ground_of(settings)
    Story(settings.url, keys_for(ground), say, ground.clock()).play()
    ground.database.engine.dispose()


def serve(settings: Settings, say: Say) -> None:
    """Serve the demonstration, play the journey through it, and hand over a key."""
    prepare(settings)
    with alone(settings.database_url):
        ground = ground_of(settings)
        keys = keys_for(ground)
        must_be_ready(ground)
        running = server(create_app(ground), settings)
        teller = threading.Thread(
            target=tell, args=(running, Story("", keys, say, ground.clock())), daemon=True
        )
        teller.start()
        running.run()


def tell(running: uvicorn.Server, story: Story) -> None:
    """Once it serves, play the journey and print a key and the first request."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while not running.started:
        if time.monotonic() > deadline or running.should_exit:
            return
        time.sleep(0.05)
    host, port = running.servers[0].sockets[0].getsockname()[:2]
    there = replace(story, url=f"http://{host}:{port}")
    there.play()
    there.say(hint(there.url, there.keys[OFFICER.name]))


def hint(url: str, key: str) -> str:
    """Spell a key and the first request to try it with."""
    return f"""
Safe Conduct is serving at {url}, with made-up data. Stop it with Ctrl-C.
A key for one day, of the consular officer who submitted {REFERENCE}:

    export KEY={key}

The first request, what this officer is party to:

    curl -s {url}/v1/cases -H "Authorization: Bearer {key}"
"""
