"""Tokens: the client gets a token or an error of its own kind, and what went wrong stays secret."""

from typing import Any

import pytest

from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.token import NoToken, Tokens
from stream_enforcer.settings import Kafka


def giving(value: Any) -> Tokens:
    async def ask() -> object:
        if isinstance(value, BaseException):
            raise value
        return value

    return Tokens(ask)


@pytest.mark.parametrize("token", ["abc", "a.b-c_d~e+f/g==", "eyJhbGciOiJub25lIn0.e30."])
async def test_a_token_is_passed_on(token: str) -> None:
    assert await giving(token).token() == token


@pytest.mark.parametrize("given", ["", None, b"abc", "a b", "a\x01auth=b", "a\n", "tökén", "=a"])
async def test_what_is_no_token_goes_nowhere(given: object) -> None:
    with pytest.raises(NoToken, match=r"^NoToken: the token function returned something that is no token$"):
        await giving(given).token()


@pytest.mark.parametrize("error", [RuntimeError("hunter2"), OSError("hunter2"), TimeoutError()])
async def test_a_function_that_fails_is_an_error_that_the_client_knows_and_names_no_secret(
    error: Exception,
) -> None:
    with pytest.raises(NoToken) as caught:
        await giving(error).token()
    assert str(caught.value) == f"NoToken: the token function raised {type(error).__name__}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def a_token() -> str:
    return "abc"


async def test_every_client_asks_for_tokens() -> None:
    kafka = Kafka(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="OAUTHBEARER",
        sasl_oauth_token_provider=f"{__name__}:a_token",
    )
    provider = Clients(kafka).admin()._client._sasl_oauth_token_provider
    assert await provider.token() == "abc"
