"""The HTTP server, with its port, protocol settings and shutdown."""

import gc
from collections.abc import Mapping
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from typing import Any, Final, override

import uvicorn
from fastapi import FastAPI

from app.api.http.long_polling import FeedWatcher
from app.cli.connections import Connection
from app.cli.startup import NotReady
from app.settings import MAX_CONNECTIONS, Settings

HEAD_BYTES: Final = 64 * 1024
"""The maximum bytes of a request head. The API has a lower limit and returns a problem."""
PROTOCOL: Final[Mapping[str, Any]] = {
    "http": Connection,
    "ws": "none",
    "h11_max_incomplete_event_size": HEAD_BYTES,
}
"""The protocol settings of uvicorn, with the h11 parser. The faster httptools parser drops
the body of a request that offers HTTP/2, as the Java client always does (uvicorn#2722)."""


def open_port(settings: Settings) -> socket:
    """Return a socket that is bound to the port, or raise NotReady if it is unavailable.

    The socket does not listen yet, so connections are refused until the server runs.
    """
    port = socket(AF_INET6 if ":" in settings.host else AF_INET)
    port.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        port.bind((settings.host, settings.port))
    except OSError as error:
        port.close()
        where = f"{settings.host}:{settings.port}"
        raise NotReady(
            f"SAFE_CONDUCT_PORT: {where} is not available. Stop the process that listens "
            "there, or set another port. SAFE_CONDUCT_HOST must be an address of this "
            "machine."
        ) from error
    return port


class Config(uvicorn.Config):
    """The configuration of uvicorn, with a limit on the number of connections."""

    max_connections: int = MAX_CONNECTIONS


class Server(uvicorn.Server):
    """A server that, at shutdown, first ends the requests that wait for events."""

    @override
    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End the requests that wait for events, and then shut down."""
        app: Any = self.config.app
        bell: FeedWatcher = app.state.bell
        bell.close()
        await super().shutdown(sockets)


def build_server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """Return a server without a Server header or an access log; it sets up no logging.

    Existing objects are excluded from garbage collection (`gc.freeze`), because collecting
    them would delay requests by a tenth of a second.
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
