"""Turn the security settings into what the Kafka clients take."""

import importlib
import inspect
import ssl
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Any

from stream_enforcer.settings.model import Kafka
from stream_enforcer.settings.problems import BadSettings, Problem

TokenFunction = Callable[[], Awaitable[object]]
"""Should give a token that is valid now; asked for each new connection."""


def kafka_security(kafka: Kafka) -> dict[str, Any]:
    """Return the security arguments of every Kafka client; reads the certificate files.

    With OAUTHBEARER, `sasl_oauth_token_provider` is the function that the settings name; the clients take an
    object that asks it.

    Raises:
        BadSettings: A certificate or key file cannot be read or does not fit, or the token function is not there.
    """
    arguments: dict[str, Any] = {"security_protocol": kafka.security_protocol}
    if kafka.sasl_mechanism is not None:
        arguments["sasl_mechanism"] = kafka.sasl_mechanism
    if kafka.sasl_password is not None:
        arguments["sasl_plain_username"] = kafka.sasl_username
        arguments["sasl_plain_password"] = kafka.sasl_password.get_secret_value()
    if kafka.sasl_oauth_token_provider is not None:
        arguments["sasl_oauth_token_provider"] = _token_function(kafka.sasl_oauth_token_provider)
    if kafka.security_protocol.endswith("SSL"):
        arguments["ssl_context"] = _ssl_context(kafka)
    return arguments


def _token_function(name: str) -> TokenFunction:
    module, _, path = name.partition(":")
    try:
        found: TokenFunction = attrgetter(path)(importlib.import_module(module))
    except Exception as error:
        # The module is not ours and may raise anything. What that says is not ours to show: it may quote a secret.
        said = f": {error}" if isinstance(error, ImportError | AttributeError) else ""
        reason = f"cannot be imported: {type(error).__name__}{said}"
        raise _problem("sasl_oauth_token_provider", name, reason) from error
    if not inspect.iscoroutinefunction(found):
        raise _problem("sasl_oauth_token_provider", name, "is not an async function")
    if _arguments(found):
        raise _problem("sasl_oauth_token_provider", name, "needs arguments; it is called without any")
    return found


def _arguments(function: Callable[..., object]) -> list[str]:
    """Return the parameters that have to be given."""
    parameters = inspect.signature(function).parameters.values()
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]


def _ssl_context(kafka: Kafka) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
    except OSError as error:  # ssl.SSLError is one
        raise _unusable("ssl_cafile", str(kafka.ssl_cafile), error) from error
    if kafka.ssl_certfile is not None:
        # Always a password, if an empty one: without it OpenSSL would ask on the terminal.
        password = "" if kafka.ssl_key_password is None else kafka.ssl_key_password.get_secret_value()
        try:
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile, lambda: password)
        except OSError as error:
            files = " and ".join(str(file) for file in (kafka.ssl_certfile, kafka.ssl_keyfile) if file)
            raise _unusable("ssl_certfile", files, error) from error
    return context


def _unusable(field: str, value: str, error: OSError) -> BadSettings:
    reason = error.reason if isinstance(error, ssl.SSLError) and error.reason else error.strerror
    return _problem(field, value, f"cannot be used: {reason or error}")


def _problem(field: str, value: str, reason: str) -> BadSettings:
    return BadSettings((Problem(f"kafka.{field}", value, None, reason),))
