"""Why no connection to Kafka comes about: TLS, the credentials, or the network. The client tells only its log."""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from stream_enforcer.kafka.access import lacking, principal
from stream_enforcer.kafka.client import security_arguments
from stream_enforcer.kafka.token import NoToken
from stream_enforcer.settings import Kafka, Settings

KNOCK_SECONDS: Final = 5.0
"""Time for one connection to one broker."""
CLOSE_SECONDS: Final = 0.2

_OF_SASL: Final = (
    *(NoToken, SaslAuthenticationFailed),
    *(UnsupportedSaslMechanismError, IllegalSaslStateError),
)

# OpenSSL's numbers of what is wrong with a certificate (X509_V_ERR_...).
_NOT_YET, _EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 9, 10, 62, 64
_UNKNOWN_CA: Final = frozenset({2, 18, 19, 20, 21})
_TLS_TO_PLAIN: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"})


class Refused(Exception):
    """Kafka does not let this service in, and only other settings mend it; the message says which."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a broker is not reached.

    Attributes:
        reason: What is wrong and what to do, with the broker's address; never a secret.
        ours: Whether the settings or the credentials of this service are to blame, as far as they can tell.
    """

    reason: str
    ours: bool = False


async def refusal(kafka: Kafka) -> Refusal | None:
    """Connect to the brokers of the settings, one after another, until one lets us in.

    Returns:
        Why none does: the first reason that is ours, else the first; None when one does.
    """
    found: list[Refusal] = []
    for host, port, _ in collect_hosts(kafka.bootstrap_servers, randomize=False):
        error = await _knock(host, port, kafka)
        if error is None:
            return None
        found.append(explained(error, f"{host}:{port}", kafka))
    return next((refusal for refusal in found if refusal.ours), found[0])


async def not_let_in(error: BaseException, settings: Settings) -> str:
    """Say why the first contact failed.

    Args:
        error: What a client raised.
        settings: What it was made with.

    Raises:
        Refused: Trying again is no use.
    """
    found = await refusal(settings.kafka)
    if found is None:
        return lacking(error, settings) or str(error)[:200]
    if found.ours:
        raise Refused(found.reason) from error
    return found.reason


async def _knock(host: str, port: int, kafka: Kafka) -> BaseException | None:
    connection = AIOKafkaConnection(host, port, **security_arguments(kafka))
    try:
        async with asyncio.timeout(KNOCK_SECONDS):
            await connection.connect()
            await connection.send(MetadataRequest([]))  # the first request that a broker may refuse
    except (KafkaError, OSError, TimeoutError) as error:
        return error
    finally:
        # It never says that it is closed where it was never open.
        await asyncio.wait([connection.close()], timeout=CLOSE_SECONDS)
    return None


def explained(error: BaseException, broker: str, kafka: Kafka) -> Refusal:
    """Turn what a connection failed of into a reason.

    Args:
        error: What it raised.
        broker: Its address, host:port.
        kafka: The settings it was made with.
    """
    if isinstance(error, _OF_SASL):
        return _sasl(error, broker, kafka)
    tls = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
    if tls is not None:
        return _tls(tls, broker, kafka)
    if isinstance(error, KafkaConnectionError | ConnectionResetError):
        # A listener hangs up on who speaks another protocol; but so does a broker that stops.
        hint = f"is kafka.security_protocol {kafka.security_protocol} that of this listener?"
        return Refusal(f"{broker} closed the connection without an answer; {hint}")
    return Refusal(f"{broker} is not reached: {str(error) or type(error).__name__}")


def _sasl(error: KafkaError, broker: str, kafka: Kafka) -> Refusal:
    if isinstance(error, NoToken):
        return Refusal(f"kafka.sasl_oauth_token_provider: {error.args[0]}")
    if isinstance(error, UnsupportedSaslMechanismError):
        return Refusal(f"{broker} does not offer kafka.sasl_mechanism {kafka.sasl_mechanism}", ours=True)
    if isinstance(error, IllegalSaslStateError):
        return Refusal(f"{broker} has no SASL; kafka.security_protocol asks for it", ours=True)
    said = str(error.args[0])[:200] if error.args else "it does not say why"
    return Refusal(f"{broker} does not let {principal(kafka)} in: {said}; {_mend(kafka)}", ours=True)


def _mend(kafka: Kafka) -> str:
    if kafka.sasl_oauth_token_provider is not None:
        return "check the tokens of kafka.sasl_oauth_token_provider: audience, subject, expiry"
    return "check kafka.sasl_username and kafka.sasl_password, and that the brokers know the user"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _tls(error: ssl.SSLError, broker: str, kafka: Kafka) -> Refusal:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error, broker, kafka)
    if error.reason in _TLS_TO_PLAIN:
        return Refusal(f"{broker} does not speak TLS; kafka.security_protocol asks for it", ours=True)
    if "ALERT" in (error.reason or ""):
        mend = "it wants a client certificate that it trusts: check kafka.ssl_certfile and kafka.ssl_keyfile"
        return Refusal(f"{broker} refuses the TLS connection ({error.reason}); {mend}", ours=True)
    return Refusal(f"{broker} fails in TLS: {error.reason or error}")


def _certificate(error: ssl.SSLCertVerificationError, broker: str, kafka: Kafka) -> Refusal:
    if error.verify_code in (_EXPIRED, _NOT_YET):
        when = "has expired" if error.verify_code == _EXPIRED else "is not valid yet"
        return Refusal(
            f"the certificate of {broker} {when}; it is renewed on the broker, or a clock is wrong"
        )
    if error.verify_code in (_OTHER_HOST, _OTHER_ADDRESS):
        mend = "name the broker as its certificate does, in kafka.bootstrap_servers and where it advertises itself"
        return Refusal(f"the certificate of {broker} is for another name; {mend}", ours=True)
    if error.verify_code in _UNKNOWN_CA:
        where = "the system's CAs" if kafka.ssl_cafile is None else f"kafka.ssl_cafile {kafka.ssl_cafile}"
        return Refusal(f"the certificate of {broker} is signed by none of {where}", ours=True)
    return Refusal(f"the certificate of {broker} is not accepted: {error.verify_message}", ours=True)
