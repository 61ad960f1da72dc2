"""No secret of the settings, and nothing of a person, is ever shown: not in errors, logs, metrics or tracebacks."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import structlog
from prometheus_client import generate_latest
from rich.console import Console
from typer.testing import CliRunner

from stream_enforcer.cli import app
from stream_enforcer.kafka.client import Clients
from stream_enforcer.observe.logs import Format, configure
from stream_enforcer.settings import PREFIX, BadSettings, load
from stream_enforcer.settings.rows import LEAVES
from stream_enforcer.testing import EnforcerDriver, RawRecord, override, policy_world, signup, usage

SECRETS: Final = {
    name: f"marker{place}hush" for place, name in enumerate(n for n, f in LEAVES.items() if f.secret)
}
MARK: Final = "hush"
SECURED: Final = {
    "kafka.security_protocol": "SASL_SSL",
    "kafka.sasl_mechanism": "PLAIN",
    "kafka.sasl_username": "service",
    "kafka.ssl_certfile": "c.pem",
    **SECRETS,
}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers = list(root.handlers)
    yield
    root.handlers = handlers
    structlog.reset_defaults()


def variables(given: dict[str, str]) -> dict[str, str]:
    return {LEAVES[name].env: value for name, value in given.items()}


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text)
    return path


def secured_file(folder: Path) -> Path:
    return written(folder, json.dumps({"kafka": {n.removeprefix("kafka."): v for n, v in SECURED.items()}}))


def test_the_markers_cover_the_secrets() -> None:
    assert {"kafka.sasl_password", "kafka.ssl_key_password"} <= SECRETS.keys()
    assert all(MARK in value for value in SECRETS.values())


@pytest.mark.parametrize("options", [["show"], ["show", "--json"], ["check"]])
@pytest.mark.parametrize("terminal", [True, False])
def test_the_commands_about_settings_show_no_secret(
    tmp_path: Path, options: list[str], terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Console, "is_terminal", property(lambda _: terminal))
    by_variables = CliRunner().invoke(app, ["config", *options], env=variables(SECURED))
    by_file = CliRunner().invoke(app, ["config", *options, "--config", str(secured_file(tmp_path))])
    for result in (by_variables, by_file):
        assert result.output
        assert MARK not in result.output
    assert options == ["check"] or "*" in by_file.output


def test_no_value_of_the_settings_writes_a_secret(tmp_path: Path) -> None:
    for settings in (load(None, variables(SECURED)), load(secured_file(tmp_path), {})):
        clients = Clients(settings.kafka)
        assert settings.kafka.sasl_password is not None
        for value in (settings, settings.kafka, clients, settings.model_dump(), vars(settings)):
            assert MARK not in f"{value!r} {value!s}"
        assert MARK not in settings.model_dump_json()


WRONG_FILES: Final = (
    "kafka: {{sasl_password: [{0}]}}",
    "kafka: {{sasl_password: {{a: {0}}}}}",
    "kafka: {{sasl_password: {0}}}",
    "kafka: {{sasl_pasword: {0}}}",
    "kafka: {{sasl_password: a, sasl_password: {0}}}",
    "kafka: {{ssl_key_password: {0}}}",
    "sasl_password: {0}",
    "password: {0}\nemit: all",
    "kafka: {0}",
    "- {0}",
    "{0}",
    "kafka:\n  sasl_password: *{0}",
    "kafka:\n  sasl_password: !{0}",
    "kafka:\n  sasl_password: !{0}!x y",
    "kafka:\n  sasl_password: !!{0} y",
    "kafka:\n  sasl_password: &{0}\n  ssl_key_password: &{0} x",
    "kafka:\n  sasl_password: @{0}",
    "kafka:\n  sasl_password: '{0}",
    'kafka:\n  sasl_password: "\\q{0}"',
    "kafka:\n  sasl_password: %{0}: x: y",
    "kafka:\n  sasl_password: {0}\x01",
    "kafka:\n  sasl_password: !!int {0}",
    "kafka: {{security_protocol: SASL_SSL, sasl_password: {0}, sasl_mechanism: no}}",
    'kafka: {{bootstrap_servers: "SASL_SSL://me:{0}@broker:9092"}}',
    'kafka: {{bootstrap_servers: "a:1,me:{0}@broker:9092"}}',
    "kafka: {{bootstrap_servers: ['me:{0}@broker:9092']}}",
)


def everything_said(error: BaseException) -> str:
    """Give all that a traceback could say of an error, with what caused it."""
    return f"{error!r} {error} {''.join(traceback.format_exception(error))}"


@pytest.mark.parametrize("text", WRONG_FILES)
def test_no_error_of_a_file_shows_a_secret(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text.format(f"marker{MARK}"))
    with pytest.raises(BadSettings) as caught:
        load(path, {})
    assert MARK not in everything_said(caught.value)
    assert MARK not in CliRunner().invoke(app, ["config", "show", "--config", str(path)]).output


@pytest.mark.parametrize(
    "given",
    [
        {"KAFKA__SASL_PASSWORD": MARK},
        {"KAFKA__SASL_PASWORD": MARK},
        {"KAFKA_SASL_PASSWORD": MARK},
        {"SASL_PASSWORD": MARK},
        {"kafka__sasl_password": MARK},
        {"KAFKA": f'{{"sasl_password": "{MARK}"}}'},
        {"KAFKA__SSL_KEY_PASSWORD": MARK, "KAFKA__SECURITY_PROTOCOL": "SSL"},
        {"KAFKA__BOOTSTRAP_SERVERS": f"SSL://me:{MARK}@broker:1"},
        {"KAFKA__SECURITY_PROTOCOL": "SASL_SSL", "KAFKA__SASL_PASSWORD": MARK, "HTTP__PORT": "x"},
    ],
)
def test_no_error_of_a_variable_shows_a_secret(given: dict[str, str]) -> None:
    environ = {f"{PREFIX}{name}": value for name, value in given.items()}
    with pytest.raises(BadSettings) as caught:
        load(None, environ)
    assert MARK not in everything_said(caught.value)
    result = CliRunner().invoke(app, ["run"], env=environ)
    assert result.exit_code == 2
    assert MARK not in result.output


UNEXPECTED: Final = f"""
from stream_enforcer.cli import app
@app.command("break")
def break_() -> None:
    hidden = "".join({list(MARK)!r})
    raise RuntimeError(len(hidden))
app(["break"])
"""


def test_the_traceback_of_an_unexpected_error_shows_no_local_variable() -> None:
    command = [sys.executable, "-c", UNEXPECTED]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"}
    )
    assert ended.returncode == 1
    assert "RuntimeError: 4" in ended.stderr
    assert MARK not in ended.stderr


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_logged_error_shows_no_local_variable(capsys: pytest.CaptureFixture[str], form: Format) -> None:
    configure("debug", form)
    hidden = "".join(list(MARK))
    try:
        raise RuntimeError(len(hidden))
    except RuntimeError:
        structlog.get_logger("stream_enforcer.x").exception("failed")
        logging.getLogger("aiokafka").exception("failed")
    said = capsys.readouterr().err
    assert said.count("RuntimeError") >= 2
    assert MARK not in said.replace("join(list(MARK))", "")


def test_a_service_that_cannot_reach_kafka_shows_no_secret_anywhere() -> None:
    given = {
        **SECURED,
        "kafka.security_protocol": "SASL_PLAINTEXT",
        "kafka.bootstrap_servers": "127.0.0.1:1",
        "http.port": "0",
        "log_level": "debug",
    }
    del given["kafka.ssl_certfile"], given["kafka.ssl_key_password"]
    with subprocess.Popen(
        [sys.executable, "-m", "stream_enforcer", "run"],
        env={**os.environ, **variables(given)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as service:
        too_late = threading.Timer(30, service.kill)
        too_late.start()
        assert service.stderr is not None
        said = _until(service.stderr, "serving")
        url = json.loads(said[-1])["http"]
        pages = [_page(f"{url}/{name}") for name in ("world", "metrics", "readyz", "livez")]
        said += _until(service.stderr, "warning", "error")
        service.send_signal(signal.SIGTERM)
        said += service.stderr.readlines()
        too_late.cancel()
    assert all(pages)
    assert "Kafka is not reachable" in pages[2]
    assert MARK not in "".join((*pages, *said))


def _until(lines: Iterator[str], *wanted: str) -> list[str]:
    """Read lines up to the first whose event or level is one of these."""
    said = []
    for line in lines:
        said.append(line)
        entry = json.loads(line)
        if entry["event"] in wanted or entry["level"] in wanted:
            return said
    raise AssertionError(f"no such line among {said}")


def _page(url: str) -> str:
    try:
        with urlopen(url, timeout=10) as answer:  # noqa: S310 - the service's own address
            return str(answer.read().decode())
    except HTTPError as refusal:
        with refusal:
            return refusal.read().decode()


PERSONAL: Final = ("acctmark", "203.0.113.77", "orgmark", "mailmark", "annmark", "whymark")
PERSON: Final = {"account": "acctmark", "ip": "203.0.113.77"}
ORGANIZATION: Final = {"name": "orgmark", "lei": "orgmark", "domain": "orgmark.example"}
EVENTS: Final = (
    signup(**PERSON, email_domain="mailmark.example", organization=ORGANIZATION),
    usage(**PERSON),
    override(account="acctmark", requested_by="annmark", reason="whymark", override_id="whymark"),
)
MALFORMED: Final = (
    RawRecord("signups", b"acctmark", b'{"type":"signup","account_id":"acctmark","ip":"203.0.113.77x"}'),
    RawRecord("signups", b"acctmark", b"acctmark is not JSON"),
    RawRecord("signups", b"acctmark", b'{"acctmark": NaN'),
    RawRecord("signups", b"\xffacctmark", b'\xff"acctmark"'),
    RawRecord("signups", b"acctmark", None),
    RawRecord("usage", b"other", json.dumps(usage(**PERSON)).encode()),
    RawRecord("usage", b"acctmark", b'{"type":"usage","account_id":["acctmark"],"model":{"acctmark":1}}'),
    RawRecord("overrides", b"acctmark", b'{"type":"override","action":"acctmark","rules":["\\n acctmark"]}'),
)


@pytest.mark.parametrize("form", ["json", "console"])
def test_nothing_of_a_person_is_logged_or_measured(capsys: pytest.CaptureFixture[str], form: Format) -> None:
    configure("debug", form)
    world = policy_world(countries={"203.0.113.77": "CN"})
    with EnforcerDriver(world) as service:
        service.pipe(*EVENTS, *MALFORMED)
        service.restart(policy_world(countries={"203.0.113.77": "US"}))
        service.fail_before("commit")
        service.pipe(usage(**PERSON, event_id="acctmark"))
        service.advance(10)
        service.pipe(*MALFORMED[1:2] * 100)
        letters = service.dead_letters()
        shared = service._replica._shared
        shown = [generate_latest(shared.metrics.registry).decode(), *shared.health.paused.values()]
    said = capsys.readouterr().err
    assert len(letters) == len(MALFORMED) + 100
    assert "too many dead letters" in said
    assert "partition reset" in said
    assert len(shown) == 2
    whole = said + "".join(shown) + "".join(_about(header) for letter in letters for header in letter.headers)
    for mark in PERSONAL:
        assert mark not in whole


def _about(header: tuple[str, bytes]) -> str:
    """Give what a dead letter's own headers say of it, which tools show without asking."""
    return header[1].decode() if header[0].startswith("dlq.error.") else ""
