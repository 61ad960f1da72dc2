"""Toxiproxy does the harm that the scenarios count on; where it cannot be had, the suite says why."""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_enforcer.demo.replica import HOST
from stream_enforcer.kafka.broker_files import Detour, Node, broker_properties
from tests.broker.faults.network import HALF_OPEN, LATENCY, RESET, SLICED, SLOW
from tests.broker.faults.report import row, table
from tests.broker.faults.scenario import Outcome
from tests.broker.faults.toxiproxy import NoToxiproxy, Toxic, Toxiproxy, installed


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache folder, and nothing on its path but this folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_without_go_there_is_no_network_to_harm(empty: Path) -> None:
    with pytest.raises(NoToxiproxy, match="no Go"):
        installed()


def test_a_build_that_fails_says_its_last_words_and_leaves_nothing(empty: Path) -> None:
    go = empty / "go"
    go.write_text("#!/bin/sh\necho first >&2\necho no such module >&2\nexit 1\n")
    go.chmod(0o755)
    with pytest.raises(NoToxiproxy, match="no such module"):
        installed()
    assert not list((empty / "cache").rglob("server"))


def test_a_scenario_that_was_skipped_says_why_in_the_report() -> None:
    skipped = Outcome("network-reset", skipped="no Go")
    assert row(skipped).startswith("| network-reset | skipped: no Go |")
    assert len({line.count("|") for line in table([skipped, Outcome("storm")]).splitlines()}) == 1


def test_a_broker_tells_its_clients_the_proxy_and_its_peers_itself() -> None:
    nodes = [Node(n, 9000 + n, 9100 + n, Path("/run"), Detour(9200 + n, 9300 + n)) for n in (1, 2)]
    settings = broker_properties(nodes[0], nodes)
    assert settings["listeners"].endswith(",DETOUR://127.0.0.1:9201")
    assert settings["advertised.listeners"] == "CLIENT://127.0.0.1:9001,DETOUR://127.0.0.1:9301"
    assert settings["inter.broker.listener.name"] == "CLIENT"


@pytest.fixture
def proxy() -> Iterator[Toxiproxy]:
    try:
        proxy = Toxiproxy.start()
    except NoToxiproxy as reason:
        pytest.skip(str(reason))
    yield proxy
    proxy.stop()


class Echo(socketserver.BaseRequestHandler):
    """Sends back all that comes."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            while data := self.request.recv(1 << 16):
                self.request.sendall(data)


@pytest.fixture
def port(proxy: Toxiproxy) -> Iterator[int]:
    """The proxy's port before an echo server."""
    with socketserver.ThreadingTCPServer((HOST, 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield proxy.put_between(server.server_address[1])
        proxy.heal()
        proxy.api.delete(f"/proxies/{proxy.proxies[0]}").raise_for_status()
        server.shutdown()
        thread.join()


def seconds_to_echo(port: int, sent: bytes) -> float | None:
    """Give the time that it takes until all comes back; None when nothing more did for a second."""
    with socket.create_connection((HOST, port)) as client:
        client.settimeout(1)
        started, missing = time.perf_counter(), len(sent)
        client.sendall(sent)
        try:
            while missing:
                got = client.recv(missing)
                if not got:
                    raise ConnectionResetError
                missing -= len(got)
        except TimeoutError:
            return None
        return time.perf_counter() - started


@pytest.mark.parametrize(
    ("toxic", "sent", "least"), [(LATENCY, 1, 0.19), (SLOW, 5_000, 0.2), (SLICED, 10_000, 0.05)]
)
def test_a_slow_network_is_slow_until_it_is_healed(
    proxy: Toxiproxy, port: int, toxic: Toxic, sent: int, least: float
) -> None:
    proxy.harm(toxic, [1])
    harmed = seconds_to_echo(port, b"x" * sent)
    proxy.heal()
    healed = seconds_to_echo(port, b"x" * sent)
    assert harmed is not None
    assert healed is not None
    assert harmed > least > healed


@pytest.mark.parametrize("toxic", HALF_OPEN)
def test_a_half_open_connection_swallows_until_it_is_healed(
    proxy: Toxiproxy, port: int, toxic: Toxic
) -> None:
    proxy.harm(toxic, [1])
    assert seconds_to_echo(port, b"x") is None
    proxy.heal()
    assert seconds_to_echo(port, b"x") is not None


def test_a_reset_breaks_connections(proxy: Toxiproxy, port: int) -> None:
    proxy.harm(RESET, [1])
    with pytest.raises(ConnectionError):
        seconds_to_echo(port, b"x")
