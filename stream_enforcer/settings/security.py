"""Turn the security settings into what the Kafka clients take."""

import ssl

from stream_enforcer.settings.model import Kafka
from stream_enforcer.settings.problems import BadSettings, Problem


def kafka_security(kafka: Kafka) -> dict[str, object]:
    """Return the security arguments of every Kafka client; reads the certificate files.

    Raises:
        BadSettings: A certificate or key file cannot be read or does not fit.
    """
    arguments: dict[str, object] = {"security_protocol": kafka.security_protocol}
    if kafka.sasl_password is not None:
        arguments["sasl_mechanism"] = kafka.sasl_mechanism
        arguments["sasl_plain_username"] = kafka.sasl_username
        arguments["sasl_plain_password"] = kafka.sasl_password.get_secret_value()
    if kafka.security_protocol.endswith("SSL"):
        arguments["ssl_context"] = _ssl_context(kafka)
    return arguments


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
    return BadSettings((Problem(f"kafka.{field}", value, None, f"cannot be used: {reason or error}"),))
