"""The settings of OAUTHBEARER, and what is closed unless it is opened."""

import ipaddress
from pathlib import Path

import pytest

from stream_enforcer.settings import BadSettings, Kafka, Settings, kafka_security, load

PROVIDER = "tests.unit.test_settings_security:"


async def token() -> str:
    return "a"


class Tokens:
    async def token(self) -> str:
        return "a"


tokens = Tokens()


def synchronous() -> str:
    return "a"


async def needs_more(audience: str) -> str:
    return audience


def problems(**environ: str) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        load(None, {f"STREAM_ENFORCER_KAFKA__{name}": value for name, value in environ.items()})
    return str(caught.value).splitlines()


def with_tokens(provider: str) -> Kafka:
    return Kafka(
        security_protocol="SASL_PLAINTEXT", sasl_mechanism="OAUTHBEARER", sasl_oauth_token_provider=provider
    )


def test_tokens_need_their_provider_and_no_password() -> None:
    oauth = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER"}
    (line,) = problems(**oauth)
    assert line.startswith("kafka.sasl_oauth_token_provider")
    assert line.endswith("is needed with sasl_mechanism OAUTHBEARER")
    provider = {"SASL_OAUTH_TOKEN_PROVIDER": "a:b"}
    lines = problems(**oauth, **provider, SASL_USERNAME="u", SASL_PASSWORD="hunter2")  # noqa: S106 - the test's
    assert [line.split(" ")[0] for line in lines] == ["kafka.sasl_username", "kafka.sasl_password"]
    assert all(line.endswith("has no effect with sasl_mechanism OAUTHBEARER") for line in lines)
    assert "hunter2" not in "".join(lines)


def test_a_provider_has_no_effect_with_a_password_or_without_sasl() -> None:
    (line,) = problems(SASL_OAUTH_TOKEN_PROVIDER="a:b")  # noqa: S106 - a name
    assert line.endswith("has no effect with security_protocol PLAINTEXT")
    scram = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "SCRAM-SHA-512", "SASL_USERNAME": "u"}
    (line,) = problems(**scram, SASL_PASSWORD="p", SASL_OAUTH_TOKEN_PROVIDER="a:b")  # noqa: S106 - the test's
    assert line.endswith("has no effect with sasl_mechanism SCRAM-SHA-512")


@pytest.mark.parametrize("name", ["a", "a:", ":b", "a b:c", "a:b()", "a:b:c", "../a:b", "a/b:c"])
def test_a_provider_is_a_module_and_a_function(name: str) -> None:
    oauth = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER"}
    lines = problems(**oauth, SASL_OAUTH_TOKEN_PROVIDER=name)
    assert any(line.startswith(f"kafka.sasl_oauth_token_provider = {name!r}") for line in lines)


@pytest.mark.parametrize("name", ["token", "tokens.token"])
async def test_a_provider_is_found(name: str) -> None:
    security = kafka_security(with_tokens(PROVIDER + name))
    assert (security["sasl_mechanism"], "sasl_plain_password" in security) == ("OAUTHBEARER", False)
    assert await security["sasl_oauth_token_provider"]() == "a"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "no_such_module_anywhere:token",
            "cannot be imported: ModuleNotFoundError: No module named 'no_such",
        ),
        (PROVIDER + "absent", "cannot be imported: AttributeError: "),
        (PROVIDER + "synchronous", "is not an async function"),
        (PROVIDER + "needs_more", "needs arguments; it is called without any"),
    ],
)
def test_a_provider_that_cannot_be_called_is_a_bad_setting(name: str, reason: str) -> None:
    with pytest.raises(BadSettings) as caught:
        kafka_security(with_tokens(name))
    assert str(caught.value).startswith(f"kafka.sasl_oauth_token_provider = {name}: {reason}")


def test_what_a_provider_s_module_says_when_it_fails_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_provider.py").write_text("raise ValueError('hunter2')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadSettings) as caught:
        kafka_security(with_tokens("broken_provider:token"))
    assert str(caught.value).endswith("cannot be imported: ValueError")


def test_http_listens_on_loopback_alone_unless_told_otherwise() -> None:
    assert ipaddress.ip_address(Settings().http.host).is_loopback
