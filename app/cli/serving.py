"""Serving: the port, how HTTP is read there, and how it ends."""

import gc
from collections.abc import Mapping
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from typing import Any, Final, override

import uvicorn
from fastapi import FastAPI

from app.api.waiting import Bell
from app.cli.connections import Connection
from app.cli.grounds import NotReady
from app.settings import MAX_CONNECTIONS, Settings

HEAD_BYTES: Final = 64 * 1024
"""At most so much of a head is kept; what is over our own limit is refused in words."""
PROTOCOL: Final[Mapping[str, Any]] = {
    "http": Connection,
    "ws": "none",
    "h11_max_incomplete_event_size": HEAD_BYTES,
}
"""How HTTP is read: by h11. The faster parser drops the body of who offers HTTP/2 on the
way, as Java's own client does with each request (uvicorn#2722): referrals arrived empty."""


def listener(settings: Settings) -> socket:
    """Take the port before anything begins that would have to end again; raises NotReady.

    Nobody is let in before it serves: until then connections are refused, as they were.
    """
    taken = socket(AF_INET6 if ":" in settings.host else AF_INET)
    taken.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
    except OSError as error:
        taken.close()
        where = f"{settings.host}:{settings.port}"
        raise NotReady(
            f"SAFE_CONDUCT_PORT: {where} is not to be had. End what listens there, or "
            "set another; SAFE_CONDUCT_HOST is an address of this machine."
        ) from error
    return taken


class Config(uvicorn.Config):
    """What uvicorn is told, and how many connections there may be."""

    max_connections: int = MAX_CONNECTIONS


class Server(uvicorn.Server):
    """A server that lets everybody go who waits for news, before it waits for them."""

    @override
    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End."""
        app: Any = self.config.app
        bell: Bell = app.state.bell
        bell.close()
        await super().shutdown(sockets)


def server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """Make a server that tells nothing of itself and logs nothing but our own lines.

    What was made by now stays: a look for garbage through it would hold up every request
    for a tenth of a second.
    """
    gc.freeze()
    config = Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=10,
        **PROTOCOL,
    )
    config.max_connections = settings.max_connections
    return Server(config)
