"""The metrics of a replay: those of the catalogue, told while it runs and not after."""

import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from stream_enforcer.cli import app
from stream_enforcer.cli import replay_comparison as comparison
from stream_enforcer.demo.replica import free_port
from stream_enforcer.observe.catalogue import REPLAY
from stream_enforcer.observe.replay_metrics import CannotServe, ReplayCollector, ReplayStatus, served

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
STATUS = ReplayStatus(7, 10, {"missing": 2}, 3, 1_500)


def shown(status: ReplayStatus) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(ReplayCollector(lambda: status))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def get(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        return str(response.read().decode())


def test_the_catalogue_of_a_replay_is_what_it_shows() -> None:
    assert shown(STATUS) == {
        "stream_enforcer_replay_records_total": 7,
        "stream_enforcer_replay_records": 10,
        "stream_enforcer_replay_malformed_total": 2,
        "stream_enforcer_replay_accounts": 3,
        "stream_enforcer_replay_newest_event_timestamp_seconds": 1.5,
    }
    assert set(shown(STATUS)) == {spec.name for spec in REPLAY}


def test_what_is_not_known_yet_is_not_shown() -> None:
    assert set(shown(ReplayStatus(0, None, {}, 0, 0))) == {
        "stream_enforcer_replay_records_total",
        "stream_enforcer_replay_accounts",
    }


def test_metrics_are_served_as_long_as_the_block_runs_and_no_longer() -> None:
    port = free_port()
    with served(f"127.0.0.1:{port}", lambda: STATUS):
        said = get(port)
    assert "\nstream_enforcer_replay_records_total 7.0\n" in said
    assert "\nprocess_cpu_seconds_total " in said
    with pytest.raises(urllib.error.URLError):
        get(port)


def test_nothing_is_served_unless_asked_for() -> None:
    with served(None, lambda: pytest.fail("nobody asked")):
        pass


def test_an_address_that_is_taken_is_said() -> None:
    port = free_port()
    with (
        served(f"127.0.0.1:{port}", lambda: STATUS),
        pytest.raises(CannotServe, match="in use"),
        served(f"127.0.0.1:{port}", lambda: STATUS),
    ):
        pass


@pytest.mark.parametrize("where", ["8080", "127.0.0.1:", ":80", "a:b", "127.0.0.1:70000", "::1:80"])
def test_what_is_no_address_is_refused(where: str) -> None:
    arguments = ["--policy", str(EXAMPLES / "half.yaml"), "--against", str(EXAMPLES / "half.yaml")]
    ended = CliRunner().invoke(
        app, ["replay", str(EXAMPLES / "history.jsonl"), *arguments, "--metrics", where]
    )
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == f"--metrics {where}: write HOST:PORT, such as 127.0.0.1:8080\n"


def test_processes_do_not_share_an_address() -> None:
    ended = CliRunner().invoke(app, ["replay", "--workers", "2", "--metrics", "127.0.0.1:0"])
    assert ended.exit_code == 2
    assert "--workers and --metrics" in ended.stderr


def test_a_replay_tells_what_it_took(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Callable[[], ReplayStatus]] = []

    class Kept:
        def __init__(self, where: str | None, status: Callable[[], ReplayStatus]) -> None:
            assert where == "127.0.0.1:9"
            asked.append(status)

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(comparison, "served", Kept)
    sides = ["--policy", str(EXAMPLES / "half.yaml"), "--against", str(EXAMPLES / "half.yaml")]
    out = ["--out", str(tmp_path / "out"), "--metrics", "127.0.0.1:9"]
    ended = CliRunner().invoke(app, ["replay", str(EXAMPLES / "history.jsonl"), *sides, *out])
    assert ended.exit_code == 0, ended.stderr
    (status,) = asked
    assert status()[:4] == (8, None, {}, 4)
    assert status().newest_ms > 1_600_000_000_000
