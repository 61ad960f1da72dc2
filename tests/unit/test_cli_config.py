"""`stream-enforcer config`: what goes to stdout, what to stderr, and the exit codes."""

import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from stream_enforcer.cli.config import app
from stream_enforcer.settings import describe, load

run = CliRunner()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STREAM_ENFORCER_CONFIG", raising=False)


def test_show_lists_every_setting_one_a_line_for_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("geo: [a.mmdb]\n")
    result = run.invoke(app, ["show", "--config", str(path)], env={"STREAM_ENFORCER_HTTP__PORT": "0"})
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == [row.name for row in describe(load(None, {}))]
    assert ["http.port", "0", "environment variable STREAM_ENFORCER_HTTP__PORT"] in [
        line[:3] for line in lines
    ]
    assert ["geo", '["a.mmdb"]', f"file {path}, line 1"] in [line[:3] for line in lines]
    assert ["policy", "", "default"] in [line[:3] for line in lines]
    assert all(len(line) == 4 and line[3] for line in lines)


def test_show_draws_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Console, "is_terminal", property(lambda _: True))
    result = run.invoke(app, ["show"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert "setting" in result.stdout.splitlines()[1]
    assert "enforcer-accounts" in result.stdout


def test_show_json_keeps_types_and_masks_secrets() -> None:
    environ = {
        "STREAM_ENFORCER_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "STREAM_ENFORCER_KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
        "STREAM_ENFORCER_KAFKA__SASL_USERNAME": "service",
        "STREAM_ENFORCER_KAFKA__SASL_PASSWORD": "hunter2",
    }
    result = run.invoke(app, ["show", "--json"], env=environ)
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert rows["topics.partitions"]["value"] == 4
    assert rows["ownership"]["value"] == []
    assert set(rows["http.host"]) == {"name", "env", "value", "origin", "help"}
    assert "hunter2" not in result.output


@pytest.mark.parametrize("command", ["show", "check"])
def test_bad_settings_exit_with_2_and_are_told_on_stderr(command: str) -> None:
    result = run.invoke(app, [command], env={"STREAM_ENFORCER_HTTP__PORT": "x", "STREAM_ENFORCER_EMITS": "1"})
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "http.port = 'x' (environment variable STREAM_ENFORCER_HTTP__PORT)" in result.stderr
    assert "STREAM_ENFORCER_EMITS: is not a setting; did you mean STREAM_ENFORCER_EMIT?" in result.stderr
    assert "Traceback" not in result.stderr


def test_check_says_ok_on_stderr() -> None:
    result = run.invoke(app, ["check"], env={"STREAM_ENFORCER_HTTP__PORT": "0"})
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "ok: 1 settings given, the rest are defaults\n"


def test_check_opens_the_certificate_files(tmp_path: Path) -> None:
    environ = {
        "STREAM_ENFORCER_KAFKA__SECURITY_PROTOCOL": "SSL",
        "STREAM_ENFORCER_KAFKA__SSL_CAFILE": str(tmp_path / "absent.pem"),
    }
    result = run.invoke(app, ["check"], env=environ)
    assert result.exit_code == 2
    assert "kafka.ssl_cafile" in result.stderr
