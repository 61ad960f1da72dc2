"""The settings: their sources, their limits, and what is said when they are wrong."""

import ssl
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from stream_enforcer.settings import BadSettings, Kafka, Settings, describe, kafka_security, load
from stream_enforcer.settings.rows import LEAVES


def problems(config: Path | None = None, /, **environ: str) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        load(config, {f"STREAM_ENFORCER_{name}": value for name, value in environ.items()})
    return str(caught.value).splitlines()


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text)
    return path


def test_no_source_gives_the_defaults() -> None:
    settings = load(None, {})
    assert settings == Settings()
    assert settings.kafka.bootstrap_servers == "127.0.0.1:9092"
    assert settings.topics.accounts == "enforcer-accounts"
    assert settings.topics.dead_letters == "dead-letters"
    assert (settings.geo, settings.ownership, settings.policy) == ((), (), None)
    assert {row.origin for row in describe(settings)} == {"default"}


def test_environment_wins_over_file_and_file_over_default(tmp_path: Path) -> None:
    path = written(tmp_path, "kafka:\n  group: from-file\n  environment: prod\nemit: every\n")
    settings = load(
        path, {"STREAM_ENFORCER_KAFKA__GROUP": "from-env", "STREAM_ENFORCER_GEO": '["vpn=v.txt"]'}
    )
    assert settings.kafka.group == "from-env"
    assert settings.kafka.environment == "prod"
    assert settings.geo == ("vpn=v.txt",)
    origins = {row.name: row.origin for row in describe(settings)}
    assert origins["kafka.group"] == "environment variable STREAM_ENFORCER_KAFKA__GROUP"
    assert origins["kafka.environment"] == f"file {path}, line 3"
    assert origins["emit"] == f"file {path}, line 4"
    assert origins["http.port"] == "default"


def test_a_variable_names_the_file_and_the_argument_wins_over_it(tmp_path: Path) -> None:
    path = written(tmp_path, "ownership: [a.jsonl, b.csv]\nhttp:\n  # port: 1\n")
    settings = load(None, {"STREAM_ENFORCER_CONFIG": str(path)})
    assert settings.ownership == (Path("a.jsonl"), Path("b.csv"))
    assert settings.http.port == 8080
    other = tmp_path / "other.yaml"
    other.write_text("")
    assert load(other, {"STREAM_ENFORCER_CONFIG": str(path)}) == Settings()


def test_only_the_given_mapping_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAM_ENFORCER_EMIT", "every")
    monkeypatch.setenv("STREAM_ENFORCER_NONSENSE", "1")
    assert load(None, {}).emit == "transitions"
    assert Settings().emit == "transitions"


def test_foreign_variables_are_not_settings() -> None:
    environ = {"KAFKA_BOOTSTRAP_SERVERS": "elsewhere:1", "PATH": "/bin"}
    assert load(None, environ).kafka.bootstrap_servers == "127.0.0.1:9092"


def test_every_leaf_has_help_and_a_variable_of_its_own() -> None:
    assert all(leaf.help for leaf in LEAVES.values())
    assert len({leaf.env for leaf in LEAVES.values()}) == len(LEAVES)
    assert {name for name, leaf in LEAVES.items() if leaf.secret} == {
        "kafka.sasl_password",
        "kafka.ssl_key_password",
    }


def test_settings_cannot_be_changed() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.emit = "every"  # type: ignore[misc]  # that it is forbidden is the point
    with pytest.raises(ValidationError):
        settings.kafka.group = "x"  # type: ignore[misc]  # that it is forbidden is the point


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HTTP_PORT", "STREAM_ENFORCER_HTTP__PORT"),
        ("KAFKA__SASL_PASSWROD", "STREAM_ENFORCER_KAFKA__SASL_PASSWORD"),
        ("kafka__group", "STREAM_ENFORCER_KAFKA__GROUP"),
        ("CONFIGS", "STREAM_ENFORCER_CONFIG"),
    ],
)
def test_an_unknown_variable_is_an_error_that_guesses_and_keeps_the_value_secret(
    name: str, meant: str
) -> None:
    (line,) = problems(**{name: "hunter2"})
    assert line == f"environment variable STREAM_ENFORCER_{name}: is not a setting; did you mean {meant}?"


def test_variables_that_kubernetes_adds_for_services_are_passed_over() -> None:
    host = "tcp://10.0.0.1:8080"
    environ = {
        "STREAM_ENFORCER_SERVICE_HOST": "10.0.0.1",
        "STREAM_ENFORCER_SERVICE_PORT": "8080",
        "STREAM_ENFORCER_SERVICE_PORT_HTTP": "8080",
        "STREAM_ENFORCER_PORT": host,
        "STREAM_ENFORCER_PORT_8080_TCP": host,
        "STREAM_ENFORCER_PORT_8080_TCP_ADDR": "10.0.0.1",
        "STREAM_ENFORCER_METRICS_SERVICE_HOST": "10.0.0.2",
        "STREAM_ENFORCER_METRICS_PORT": host,
    }
    assert load(None, environ) == Settings()
    assert problems(PORT="8080") != []


@pytest.mark.parametrize(
    ("name", "value", "field", "reason"),
    [
        ("HTTP__PORT", "65536", "http.port", "less than or equal to 65535"),
        ("HTTP__PORT", "", "http.port", "valid integer"),
        ("TOPICS__PARTITIONS", "0", "topics.partitions", "greater than or equal to 1"),
        ("TOPICS__USAGE", "a b", "topics.usage", "pattern"),
        ("TOPICS__USAGE", "..", "topics.usage", "not a legal topic name"),
        ("KAFKA__BOOTSTRAP_SERVERS", "a:1,b", "kafka.bootstrap_servers", "'b' is not host:port"),
        ("KAFKA__BOOTSTRAP_SERVERS", "a:99999", "kafka.bootstrap_servers", "is not host:port"),
        ("KAFKA__GROUP", "", "kafka.group", "at least 1 character"),
        ("COMMIT_INTERVAL_MS", "10001", "commit_interval_ms", "less than or equal to 10000"),
        ("DRAIN_TIMEOUT_MS", "30000", "drain_timeout_ms", "less than kafka.session_timeout_ms, 30000"),
        ("GEO", "a.mmdb", "geo", "JSON list"),
        ("GEO", '{"a": 1}', "geo", "JSON list"),
        ("POLICY", "", "policy", "is empty"),
        ("EMIT", "all", "emit", "'transitions' or 'every'"),
        ("LOG_LEVEL", "loud", "log_level", "'debug'"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(name: str, value: str, field: str, reason: str) -> None:
    (line,) = problems(**{name: value})
    assert line.startswith(f"{field} = {value!r} (environment variable STREAM_ENFORCER_{name}): ")
    assert reason in line


def test_a_bad_item_of_a_list_is_named_by_its_place() -> None:
    (line,) = problems(OWNERSHIP='["a", 3]')
    assert line.startswith("ownership.1 = 3 (environment variable STREAM_ENFORCER_OWNERSHIP): ")


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "kafka:\n  session_timeout_ms: soon\ncolour: red\n")
    lines = problems(path, EMIT="all", HTTP_PORT="1")
    assert len(lines) == 4
    assert any(
        line.startswith(f"kafka.session_timeout_ms = 'soon' (file {path}, line 2): ") for line in lines
    )
    assert f"colour (file {path}, line 3): is not a setting" in lines


def test_log_levels_are_read_in_either_case() -> None:
    assert load(None, {"STREAM_ENFORCER_LOG_LEVEL": "WARNING"}).log_level == "warning"


@given(
    st.lists(
        st.sampled_from(
            ["signups", "usage", "overrides", "ownership", "decisions", "accounts", "dead_letters"]
        ),
        min_size=2,
        max_size=2,
        unique=True,
    )
)
def test_no_two_topics_may_share_a_name(pair: list[str]) -> None:
    lines = problems(**{f"TOPICS__{topic.upper()}": "same" for topic in pair})
    assert len(lines) == 1
    assert "is also the topic of topics." in lines[0]


def test_a_topic_may_not_take_the_default_name_of_another() -> None:
    assert problems(TOPICS__SIGNUPS="usage") == [
        "topics.usage = 'usage' (default): is also the topic of topics.signups"
    ]


def test_commits_are_more_frequent_than_transactions_time_out() -> None:
    lines = problems(KAFKA__TRANSACTION_TIMEOUT_MS="1000", COMMIT_INTERVAL_MS="1000")
    assert lines[0].endswith("must be less than kafka.transaction_timeout_ms, 1000")


def test_sasl_needs_all_its_parts_and_its_protocol() -> None:
    (line,) = problems(KAFKA__SECURITY_PROTOCOL="SASL_SSL")
    assert line.startswith("kafka.sasl_mechanism = ")
    assert line.endswith("is needed with security_protocol SASL_SSL")
    lines = problems(KAFKA__SECURITY_PROTOCOL="SASL_SSL", KAFKA__SASL_MECHANISM="SCRAM-SHA-512")
    assert [line.split(" ")[0] for line in lines] == ["kafka.sasl_username", "kafka.sasl_password"]
    (line,) = problems(KAFKA__SASL_PASSWORD="hunter2")  # noqa: S106 - it is the test's
    assert line.endswith("has no effect with security_protocol PLAINTEXT")
    assert "hunter2" not in line


def test_tls_files_need_their_protocol_and_a_key_its_certificate() -> None:
    (line,) = problems(KAFKA__SSL_CAFILE="ca.pem")
    assert line.endswith("has no effect with security_protocol PLAINTEXT")
    (line,) = problems(KAFKA__SECURITY_PROTOCOL="SSL", KAFKA__SSL_KEYFILE="key.pem")
    assert line.endswith("is given without ssl_certfile")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kafka:\n  group: [\n", "line 3, column 1: is not valid YAML"),
        ("emit: every\nkafka: x: y\n", "line 2, column 9: is not valid YAML"),
        ("emit: every\n---\nemit: every\n", "is not valid YAML"),
        ("emit: 'a\x01'\n", "line 1, column 9: holds a character that YAML forbids"),
        ("emit: !!python/object:os.system x\n", "is not valid YAML"),
        ("- emit\n", "line 1: must be a mapping"),
        ("kafka: localhost\n", "kafka (file {path}, line 1): must be a mapping"),
        ("kafka:\n  gruop: x\n", "kafka.gruop (file {path}, line 2): is not a setting; did you mean group?"),
        ("emit: every\nemit: transitions\n", "emit (file {path}, line 2): is given twice"),
        ("1: x\n", "1 (file {path}, line 1): is not a setting"),
        ("kafka: &k\n  group: *k\n", "is not valid YAML"),
        ("topics: {partitions: 1.5}\n", "topics.partitions = 1.5 (file {path}, line 1): "),
        ("policy: ''\n", "policy = '' (file {path}, line 1): is empty"),
        ("kafka: {group: }\n", "kafka.group = None (file {path}, line 1): "),
    ],
)
def test_a_bad_file_is_named_with_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    (line,) = problems(path)
    assert f"file {path}" in line
    assert message.format(path=path) in line


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    absent = tmp_path / "absent.yaml"
    assert problems(absent) == [f"file {absent}: No such file or directory"]
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"emit: every\n# caf\xe9\n")
    assert problems(latin) == [f"file {latin}, line 2, column 6: is not UTF-8"]


def test_secrets_are_masked_wherever_they_are_shown() -> None:
    environ = {
        "STREAM_ENFORCER_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "STREAM_ENFORCER_KAFKA__SASL_MECHANISM": "PLAIN",
        "STREAM_ENFORCER_KAFKA__SASL_USERNAME": "service",
        "STREAM_ENFORCER_KAFKA__SASL_PASSWORD": "hunter2",
    }
    settings = load(None, environ)
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in repr(describe(settings))
    rows = {row.name: row.value for row in describe(settings)}
    assert set(str(rows["kafka.sasl_password"])) == {"*"}
    assert rows["kafka.ssl_key_password"] is None
    security = kafka_security(settings.kafka)
    assert isinstance(security.pop("ssl_context"), ssl.SSLContext)
    assert security == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "service",
        "sasl_plain_password": "hunter2",
    }


def test_plain_text_needs_nothing_more() -> None:
    assert kafka_security(Kafka()) == {"security_protocol": "PLAINTEXT"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of its own making, and its key under the password `open`."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-subj", "/CN=test", "-days", "1"]
    files = ["-keyout", str(key), "-out", str(certificate), "-passout", "pass:open"]
    try:
        subprocess.run([*command, *files], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl command")
    return certificate, key


def tls(certificate: Path, key: Path, password: str | None) -> Kafka:
    return Kafka(
        security_protocol="SSL",
        ssl_cafile=certificate,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_key_password=None if password is None else SecretStr(password),
    )


def test_tls_checks_the_broker_and_shows_our_certificate(certificate: tuple[Path, Path]) -> None:
    context = kafka_security(tls(*certificate, "open"))["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_locked_key_is_an_error_and_not_a_prompt(
    certificate: tuple[Path, Path], password: str | None
) -> None:
    with pytest.raises(BadSettings, match=r"kafka.ssl_certfile = .*cert.pem and .*key.pem: cannot be used: "):
        kafka_security(tls(*certificate, password))


def test_a_ca_file_that_is_absent_or_no_certificate_is_an_error(tmp_path: Path) -> None:
    absent = tmp_path / "ca.pem"
    with pytest.raises(BadSettings, match=r"kafka.ssl_cafile = .*: cannot be used: No such file"):
        kafka_security(Kafka(security_protocol="SSL", ssl_cafile=absent))
    absent.write_text("nothing")
    with pytest.raises(BadSettings, match=r"kafka.ssl_cafile = .*: cannot be used: "):
        kafka_security(Kafka(security_protocol="SSL", ssl_cafile=absent))
