"""The tree of settings: names, types, limits, defaults and help."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s,:\[\]]+):([0-9]{1,5})")


def _addresses(value: str) -> str:
    for address in value.split(","):
        match = _ADDRESS.fullmatch(address.strip())
        if match is None or not 1 <= int(match[2]) <= 65535:
            raise ValueError(f"{address.strip()!r} is not host:port (several are separated by commas)")
    return value


def _json_list(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        items = json.loads(value)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list):
        example = '["a.mmdb", "b.mmdb"]'
        raise ValueError(f"must be a JSON list of strings, such as {example}")  # noqa: TRY004 - pydantic's way
    return items


def _not_empty(value: object) -> object:
    if value == "":
        raise ValueError("is empty")
    return value


def _topic_name(value: str) -> str:
    if value in (".", ".."):
        raise ValueError("is not a legal topic name")
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1, max_length=249)]
Secret = Annotated[SecretStr, Field(min_length=1)]
File = Annotated[Path, BeforeValidator(_not_empty)]
TopicName = Annotated[
    str, Field(min_length=1, max_length=249, pattern=r"^[A-Za-z0-9._-]+$"), AfterValidator(_topic_name)
]
FunctionName = Annotated[
    str, Field(max_length=249, pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")
]
SourceName = Annotated[str, Field(max_length=249, pattern=r"^[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+$")]
GeoSources = Annotated[tuple[Text, ...], NoDecode, BeforeValidator(_json_list)]
Files = Annotated[tuple[File, ...], NoDecode, BeforeValidator(_json_list)]


class Kafka(BaseModel):
    """The connection to Kafka."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    bootstrap_servers: Annotated[str, AfterValidator(_addresses)] = Field(
        "127.0.0.1:9092", description="Brokers to start from, host:port, separated by commas"
    )
    group: Text = Field("stream-enforcer", description="Consumer group; replicas of one service share it")
    environment: Text = Field(
        "dev", description="Part of the transactional ids {group}-{environment}-{partition}"
    )
    security_protocol: SecurityProtocol = Field("PLAINTEXT", description="How to connect to the brokers")
    sasl_mechanism: SaslMechanism | None = Field(None, description="SASL mechanism")
    sasl_username: Text | None = Field(None, description="SASL user")
    sasl_password: Secret | None = Field(None, description="SASL password")
    sasl_oauth_token_provider: FunctionName | None = Field(
        None,
        description="Where OAUTHBEARER tokens come from, module:function; an async function without arguments",
    )
    ssl_cafile: File | None = Field(
        None, description="CA certificates that sign the brokers, PEM; the system's when not set"
    )
    ssl_certfile: File | None = Field(None, description="Client certificate with its chain, PEM")
    ssl_keyfile: File | None = Field(
        None, description="Key of the client certificate, PEM; not set when the certificate file holds it"
    )
    ssl_key_password: Secret | None = Field(None, description="Password of the client key")
    session_timeout_ms: int = Field(
        30_000, ge=1_000, le=1_800_000, description="Silence after which the group gives a replica up, in ms"
    )
    max_partition_fetch_bytes: int = Field(
        2 * 1024 * 1024, ge=16 * 1024, description="Largest fetch of one partition, in bytes"
    )
    transaction_timeout_ms: int = Field(
        15_000, ge=1_000, le=900_000, description="Age at which the broker aborts an open transaction, in ms"
    )

    @field_validator("sasl_mechanism", "sasl_username", "sasl_password", "sasl_oauth_token_provider")
    @classmethod
    def _sasl_goes_with_its_protocol(cls, value: object, info: ValidationInfo) -> object:
        protocol = str(info.data.get("security_protocol", ""))
        if value is not None and protocol in ("PLAINTEXT", "SSL"):
            raise ValueError(f"has no effect with security_protocol {protocol}")
        if value is None and protocol.startswith("SASL_") and info.field_name == "sasl_mechanism":
            raise ValueError(f"is needed with security_protocol {protocol}")
        return value

    @field_validator("sasl_username", "sasl_password", "sasl_oauth_token_provider")
    @classmethod
    def _credentials_go_with_their_mechanism(cls, value: object, info: ValidationInfo) -> object:
        mechanism = info.data.get("sasl_mechanism")
        if mechanism is None:
            return value
        tokens = mechanism == "OAUTHBEARER"
        if tokens == (info.field_name == "sasl_oauth_token_provider"):
            if value is None:
                raise ValueError(f"is needed with sasl_mechanism {mechanism}")
        elif value is not None:
            raise ValueError(f"has no effect with sasl_mechanism {mechanism}")
        return value

    @field_validator("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_key_password")
    @classmethod
    def _tls_goes_with_its_protocol(cls, value: object, info: ValidationInfo) -> object:
        protocol = str(info.data.get("security_protocol", ""))
        if value is not None and protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
            raise ValueError(f"has no effect with security_protocol {protocol}")
        return value

    @field_validator("ssl_keyfile", "ssl_key_password")
    @classmethod
    def _a_key_needs_its_certificate(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("ssl_certfile", value) is None:
            raise ValueError("is given without ssl_certfile")
        return value


class Topics(BaseModel):
    """Names and shape of the topics."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    signups: TopicName = Field("signups", description="Input: signups")
    usage: TopicName = Field("usage", description="Input: usage")
    overrides: TopicName = Field("overrides", description="Input: overrides")
    ownership: TopicName = Field("ownership", description="Input: ownership statements, compacted")
    decisions: TopicName = Field("decisions", description="Output: decisions")
    accounts: TopicName = Field("enforcer-accounts", description="Internal: account states, compacted")
    dead_letters: TopicName = Field("dead-letters", description="Output: records that could not be read")
    partitions: int = Field(
        4, ge=1, le=10_000, description="Partitions of every co-partitioned topic when it is created"
    )
    replication: int = Field(1, ge=1, le=32_767, description="Replication factor of topics when created")

    @field_validator("usage", "overrides", "ownership", "decisions", "accounts", "dead_letters")
    @classmethod
    def _every_topic_is_its_own(cls, value: str, info: ValidationInfo) -> str:
        same = [name for name, other in info.data.items() if other == value]
        if same:
            raise ValueError(f"is also the topic of topics.{same[0]}")
        return value


class Poison(BaseModel):
    """How many malformed records an input topic of a partition may bring before the partition stops."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    max_consecutive: int = Field(
        100, ge=1, description="Malformed records in a row at which a partition stops taking records"
    )
    max_ratio_percent: int = Field(
        50,
        ge=0,
        le=100,
        description="A partition stops when more than this share of the window is malformed, in percent",
    )
    window: int = Field(
        1_000, ge=1, le=1_000_000, description="Records over which poison.max_ratio_percent is counted"
    )


class Http(BaseModel):
    """Where metrics and health are served."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    host: Text = Field("127.0.0.1", description="Address that the HTTP server listens on")
    port: int = Field(8080, ge=0, le=65535, description="Port of the HTTP server; 0 takes any free one")


class Settings(BaseSettings):
    """Everything that can be set. Frozen; it reads neither the environment nor a file by itself."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="STREAM_ENFORCER_", env_nested_delimiter="__"
    )

    kafka: Kafka = Kafka()
    topics: Topics = Topics()
    policy: File | None = Field(None, description="Policy file; the packaged default policy when not set")
    geo: GeoSources = Field(
        (), description="Geo sources, a JSON list: mmdb files, or vpn=FILE, hosting=FILE, tor=FILE"
    )
    ownership: Files = Field((), description="Ownership files, a JSON list")
    emit: Literal["transitions", "every"] = Field(
        "transitions", description="Publish changes only, or one decision per signup and usage event"
    )
    poison: Poison = Poison()
    http: Http = Http()
    cloudevents_source: SourceName | None = Field(
        None,
        description="What decisions name as their source, a URI or path, in the headers of CloudEvents; they have no "
        "such headers when not set",
    )
    tracing: Literal["none", "otlp"] = Field(
        "none",
        description="Where spans of transactions go; otlp needs the extra `otel`, and takes the variables OTEL_* of "
        "OpenTelemetry",
    )
    commit_interval_ms: int = Field(
        0, ge=0, le=10_000, description="Time for which a partition gathers records before it commits, in ms"
    )
    max_in_flight_records: int = Field(
        40_000,
        ge=1_000,
        description="Records that a replica holds between reading and committing; bounds its memory under a backlog",
    )
    account_retention_days: int | None = Field(
        None,
        ge=1,
        description="Days after its latest event at which an account that is allowed, without review or override, "
        "is forgotten; never when not set",
    )
    drain_timeout_ms: int = Field(
        5_000,
        ge=0,
        le=600_000,
        description="Time to end in after SIGTERM, in ms; half of it, and on revocation too, is for the last commits",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        "info", description="Least severe log level that is written"
    )
    log_format: Literal["json", "console"] = Field("json", description="JSON lines, or lines for people")
    start_from: Literal["earliest", "latest"] = Field(
        "earliest", description="Where a partition without a checkpoint begins"
    )

    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's, to the end
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is passed in and nothing else; `load` reads the sources."""
        return (init_settings,)

    @field_validator("commit_interval_ms", "drain_timeout_ms")
    @classmethod
    def _fits_into_kafkas_timeouts(cls, value: int, info: ValidationInfo) -> int:
        kafka = info.data.get("kafka")
        limit = "transaction_timeout_ms" if info.field_name == "commit_interval_ms" else "session_timeout_ms"
        if isinstance(kafka, Kafka) and value >= getattr(kafka, limit):
            raise ValueError(f"must be less than kafka.{limit}, {getattr(kafka, limit)}")
        return value

    def with_origins(self, origins: Mapping[str, str]) -> Self:
        """Return the same settings, knowing where each was given.

        Args:
            origins: Dotted name of a setting -> the words for its source. Absent means default.
        """
        known = self.model_copy()
        known._origins = dict(origins)  # noqa: SLF001 - its own class
        return known

    def origin(self, name: str) -> str:
        """Say where the setting with this dotted name was given."""
        return self._origins.get(name, "default")
