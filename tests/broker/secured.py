"""A real Kafka with TLS, SASL and ACLs; who connects over its plain listener may do everything."""

import shutil
import socket
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson
import trustme
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from stream_enforcer.kafka.access import Grant
from stream_enforcer.kafka.broker_files import HOST, Node, new_cluster_id, write_broker_files
from stream_enforcer.kafka.broker_process import (
    READY_WITHIN_SECONDS,
    brokers_known,
    format_storage,
    java_program,
    launch,
    log_of,
)
from stream_enforcer.settings import Kafka
from tests.broker.stage import until

USER: Final = "enforcer"
PASSWORD: Final = "correct-horse-battery"  # noqa: S105 - the test's own
PRINCIPAL: Final = f"User:{USER}"
NO_SASL: Final = {
    "security_protocol": "SSL",
    **dict.fromkeys(("sasl_mechanism", "sasl_username", "sasl_password")),
}
_HEAP_MEGABYTES = 256

# Kafka's numbers on the wire.
_RESOURCES: Final = {"topic": 2, "group": 3, "cluster": 4, "transactional-id": 5}
_OPERATIONS: Final = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8}
_ALLOW, _LITERAL, _PREFIXED = 3, 3, 4


TOKENS_ASKED: Final[list[float]] = []
"""When `token` was asked, by the monotonic clock."""


async def token() -> str:
    """Give a token that the broker takes: it believes what is not signed."""
    TOKENS_ASKED.append(time.monotonic())
    return _token(USER, time.time() + 600)


async def stale_token() -> str:
    return _token(USER, time.time() - 600)


async def no_token() -> str:
    raise RuntimeError(PASSWORD)


def _token(subject: str, expires: float) -> str:
    claims = {"sub": subject, "iat": int(expires - 3600), "exp": int(expires)}
    parts = (orjson.dumps(part) for part in ({"alg": "none"}, claims))
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


@dataclass(frozen=True)
class Secured:
    """The broker's addresses, and the files that belong to it.

    Attributes:
        plain: For set-up: every right, no questions.
        secure: TLS and SASL: SCRAM-SHA-512 or OAUTHBEARER.
        mutual: TLS with client certificates.
        expired, misnamed: TLS with a server certificate that should not be accepted.
        folder: Holds `ca.pem`, `other-ca.pem`, `client.pem` and `client.key`.
    """

    plain: str
    secure: str
    mutual: str
    expired: str
    misnamed: str
    folder: Path

    def kafka(self, **changes: Any) -> Kafka:
        """Return the settings of the service's user; a change to None leaves the setting out."""
        given: dict[str, Any] = {
            "bootstrap_servers": self.secure,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": USER,
            "sasl_password": PASSWORD,
            "ssl_cafile": self.folder / "ca.pem",
            "session_timeout_ms": 6_000,
        } | changes
        return Kafka(**{name: value for name, value in given.items() if value is not None})

    def mutual_kafka(self, **changes: Any) -> Kafka:
        """Return settings with which the certificate says who the service is."""
        files = {"ssl_certfile": self.folder / "client.pem", "ssl_keyfile": self.folder / "client.key"}
        return self.kafka(**NO_SASL, bootstrap_servers=self.mutual, **files, **changes)

    def token_kafka(self, function: str = "token", **changes: Any) -> Kafka:
        """Return settings with which a token says who the service is."""
        password = {"sasl_username": None, "sasl_password": None}
        provider = f"{__name__}:{function}"
        return self.kafka(
            **password, sasl_mechanism="OAUTHBEARER", sasl_oauth_token_provider=provider, **changes
        )

    async def grant(self, grants: Iterable[Grant], principal: str = PRINCIPAL) -> None:
        """Allow, and wait until the broker knows."""
        async with self._admin() as admin:
            for grant in grants:
                acl = _acl(grant, principal)
                response = await admin._send_request(CreateAclsRequest(*acl))
                assert response.creation_responses[0][0] == 0, response
                await until(partial(_known, admin, acl))

    async def revoke(self, grant: Grant, principal: str = PRINCIPAL) -> None:
        """Take a right away, and wait until the broker knows."""
        async with self._admin() as admin:
            acl = _acl(grant, principal)
            response = await admin._send_request(DeleteAclsRequest(*acl))
            assert response.filter_responses[0][0] == 0, response

            async def gone() -> bool:
                return not await _known(admin, acl)

            await until(gone)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.plain)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


def _acl(grant: Grant, principal: str) -> tuple[int, str, int, str, str, int, int]:
    pattern = _PREFIXED if grant.prefixed else _LITERAL
    where = (_RESOURCES[grant.resource], grant.name, pattern)
    return *where, principal, "*", _OPERATIONS[grant.operation], _ALLOW


async def _known(admin: AIOKafkaAdminClient, acl: tuple[Any, ...]) -> bool:
    return bool((await admin._send_request(DescribeAclsRequest(*acl))).resources)


@contextmanager
def secured_kafka() -> Iterator[Secured]:
    """Run the broker, with a folder that goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="stream-enforcer-secured-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        ports = _free_ports("plain", "controller", "secure", "mutual", "expired", "misnamed")
        node = Node(1, ports["plain"], ports["controller"], folder)
        _certificates(folder)
        program, cluster_id = java_program(), new_cluster_id()
        write_broker_files(node, [node], _properties(folder, ports))
        format_storage(program, node, cluster_id, {USER: PASSWORD})
        broker = launch(program, node, _HEAP_MEGABYTES)
        stack.callback(broker.stop, READY_WITHIN_SECONDS)
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not brokers_known(node, cluster_id):
            assert not broker.wait(0.05), log_of(node)
            assert time.monotonic() < deadline, log_of(node)
        yield Secured(
            **{name: f"{HOST}:{port}" for name, port in ports.items() if name != "controller"}, folder=folder
        )


def _free_ports(*names: str) -> dict[str, int]:
    with ExitStack() as stack:
        listeners = {name: stack.enter_context(socket.create_server((HOST, 0))) for name in names}
        return {name: listener.getsockname()[1] for name, listener in listeners.items()}


def _certificates(folder: Path) -> None:
    ca, now = trustme.CA(), datetime.now(UTC)
    ca.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "other-ca.pem")
    yesterday = now - timedelta(days=1)
    for name, certificate in {
        "server": ca.issue_cert(HOST),
        "expired": ca.issue_cert(HOST, not_before=yesterday - timedelta(days=1), not_after=yesterday),
        "misnamed": ca.issue_cert("kafka.example.org"),
        "client": ca.issue_cert("client.example.org", common_name=USER),
    }.items():
        key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
        # Java reads keys in PKCS #8 only.
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        (folder / f"{name}.key").write_bytes(secret)
        (folder / f"{name}.pem").write_bytes(chain)
        (folder / f"{name}.store").write_bytes(secret + chain)


def _properties(folder: Path, ports: Mapping[str, int]) -> dict[str, str]:
    protocols = {
        "client": "PLAINTEXT",
        "controller": "PLAINTEXT",
        "secure": "SASL_SSL",
        "mutual": "SSL",
        "expired": "SSL",
        "misnamed": "SSL",
    }
    places = {name: f"{HOST}:{ports['plain' if name == 'client' else name]}" for name in protocols}
    listeners = {name: f"{name.upper()}://{place}" for name, place in places.items()}
    told = ",".join(listener for name, listener in listeners.items() if name != "controller")
    login = "org.apache.kafka.common.security"
    return {
        "listeners": ",".join(listeners.values()),
        "advertised.listeners": told,
        "listener.security.protocol.map": ",".join(f"{n.upper()}:{p}" for n, p in protocols.items()),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": "User:ANONYMOUS",
        **_store("secure", folder / "server.store"),
        **_store("mutual", folder / "server.store"),
        **_store("expired", folder / "expired.store"),
        **_store("misnamed", folder / "misnamed.store"),
        "listener.name.mutual.ssl.client.auth": "required",
        "listener.name.mutual.ssl.principal.mapping.rules": r"RULE:^.*CN=([^,]+).*$/$1/,DEFAULT",
        "listener.name.mutual.ssl.truststore.type": "PEM",
        "listener.name.mutual.ssl.truststore.location": str(folder / "ca.pem"),
        "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-512,OAUTHBEARER",
        "listener.name.secure.scram-sha-512.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
        # Whoever came in with a token is put out a second later.
        "listener.name.secure.oauthbearer.connections.max.reauth.ms": "1000",
        "listener.name.secure.oauthbearer.sasl.jaas.config": (
            f"{login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub='broker';"
        ),
    }


def _store(listener: str, store: Path) -> dict[str, str]:
    prefix = f"listener.name.{listener}.ssl.keystore"
    return {f"{prefix}.type": "PEM", f"{prefix}.location": str(store)}
