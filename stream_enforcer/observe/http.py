"""The HTTP side of the service: metrics, probes, and the world that decisions are judged with."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Self

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from stream_enforcer.observe.health import Answer, Health, live, ready
from stream_enforcer.settings import BadSettings, Problem


def build_app(
    registry: CollectorRegistry,
    health: Health,
    world: Callable[[], Mapping[str, object]],
    clock: Callable[[], float],
) -> Starlette:
    """Build the application: GET `/metrics`, `/livez`, `/readyz` and `/world`.

    Args:
        registry: What `/metrics` shows.
        health: What the probes judge.
        world: Returns what `/world` shows, ready for JSON: policy and reference data by hash, with their
            dates and ages. Nothing of a person belongs there.
        clock: The clock of the heartbeat, in seconds.
    """

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    async def livez(_request: Request) -> Response:
        return _answered(live(health, clock()))

    async def readyz(_request: Request) -> Response:
        return _answered(ready(health, clock()))

    async def show_world(_request: Request) -> Response:
        return JSONResponse(dict(world()))

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/world", show_world),
        ],
        middleware=[Middleware(GZipMiddleware, compresslevel=1)],  # the loop waits for it
        exception_handlers={HTTPException: _refused},
    )


class HttpServer:
    """An HTTP server that runs in the service's own event loop and leaves signals to the service.

    Attributes:
        port: The port it listens on; the real one when any free one was asked for.
    """

    def __init__(self, server: "_Server", serving: asyncio.Task[None], port: int) -> None:
        self._server = server
        self._serving = serving
        self.port = port

    @classmethod
    async def serve(cls, app: ASGIApp, host: str, port: int) -> Self:
        """Start a server and return it once it accepts connections.

        Args:
            app: What it serves.
            host: Address to listen on.
            port: Port to listen on; 0 takes any free one.

        Raises:
            BadSettings: The address cannot be listened on, for instance because the port is taken.
        """
        listener = _listen(host, port)
        server = _Server(
            uvicorn.Config(
                app,
                lifespan="off",
                access_log=False,
                log_config=None,
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
        accepting = asyncio.create_task(server.accepting.wait())
        await asyncio.wait({serving, accepting}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            accepting.cancel()
            await serving
        return cls(server, serving, listener.getsockname()[1])

    async def stop(self) -> None:
        """Answer what is under way, for one second at most, and close."""
        self._server.should_exit = True
        await self._serving


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        reason = f"cannot listen on {host}: {error.strerror or error}"
        raise BadSettings((Problem("http.port", str(port), None, reason),)) from error


def _answered(answer: Answer) -> Response:
    return JSONResponse({"ok": answer.ok, "reasons": answer.reasons}, status_code=200 if answer.ok else 503)


def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)
