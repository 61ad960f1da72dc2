"""The HTTP side: its answers, and that it lives in the service's loop without touching signals."""

import signal
from collections.abc import Mapping

import httpx
import pytest
from prometheus_client import CollectorRegistry

from stream_enforcer.observe.health import Health
from stream_enforcer.observe.http import HttpServer, build_app
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.settings import BadSettings

WORLD: Mapping[str, object] = {"policy": {"id": "p", "version": "1", "hash": "ab"}, "reference": {}}


class Service:
    """What a service holds, and a client that asks its application directly."""

    def __init__(self) -> None:
        self.now = 0.0
        self.health = Health(beat_at=0.0)
        self.metrics = Metrics(CollectorRegistry(), "1.2.3")
        self.app = build_app(self.metrics.registry, self.health, lambda: WORLD, lambda: self.now)

    async def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, headers=headers)


async def test_metrics_are_prometheus_text() -> None:
    service = Service()
    service.metrics.records.labels("usage", "0").inc(7)
    response = await service.ask("GET", "/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert 'stream_enforcer_records_consumed_total{partition="0",topic="usage"} 7.0' in response.text


async def test_metrics_are_zipped_and_in_the_newer_format_for_who_accepts_it() -> None:
    service = Service()
    response = await service.ask(
        "GET",
        "/metrics",
        **{"accept": "application/openmetrics-text; version=1.0.0", "accept-encoding": "gzip"},
    )
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert response.text.endswith("# EOF\n")


async def test_liveness_follows_the_loop() -> None:
    service = Service()
    response = await service.ask("GET", "/livez")
    assert (response.status_code, response.json()) == (200, {"ok": True, "reasons": []})
    service.now = 31.0
    response = await service.ask("GET", "/livez")
    assert response.status_code == 503
    assert response.json() == {"ok": False, "reasons": ["the loop has not turned for 31 s"]}


async def test_readiness_says_what_is_missing() -> None:
    service = Service()
    response = await service.ask("GET", "/readyz")
    assert response.status_code == 503
    assert "no assignment yet" in response.json()["reasons"]
    service.health.assign(frozenset())
    service.health.reference_loaded = service.health.kafka_reachable = True
    assert (await service.ask("GET", "/readyz")).json() == {"ok": True, "reasons": []}


async def test_the_world_is_shown_as_it_is() -> None:
    assert (await Service().ask("GET", "/world")).json() == WORLD


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/", 404, "Not Found"),
        ("GET", "/metrics/x", 404, "Not Found"),
        ("POST", "/world", 405, "Method Not Allowed"),
    ],
)
async def test_refusals_are_json(method: str, path: str, status: int, error: str) -> None:
    response = await Service().ask(method, path)
    assert (response.status_code, response.json()) == (status, {"error": error})
    assert ("allow" in response.headers) == (status == 405)


async def test_the_server_answers_on_the_port_it_names_and_leaves_signals_alone() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    server = await HttpServer.serve(Service().app, "127.0.0.1", 0)
    try:
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
            assert (await client.get("/livez")).status_code == 200
            with pytest.raises(
                BadSettings, match=rf"http.port = {server.port}: cannot listen on 127.0.0.1: "
            ):
                await HttpServer.serve(Service().app, "127.0.0.1", server.port)
    finally:
        await server.stop()
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{server.port}/livez")


async def test_a_host_that_does_not_exist_is_an_error_that_names_it() -> None:
    with pytest.raises(BadSettings, match=r"cannot listen on 192\.0\.2\.1"):
        await HttpServer.serve(Service().app, "192.0.2.1", 0)
