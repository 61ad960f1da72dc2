"""AsyncAPI 3 of the topics, made from the models, the settings' defaults and the plan of the topics."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import yaml
from pydantic import BaseModel

from stream_enforcer.kafka.topics import plan
from stream_enforcer.schemas import examples
from stream_enforcer.schemas.documents import DOCUMENTS, Document, Json, schema_of
from stream_enforcer.schemas.headers import DeadLetterHeaders, DecisionHeaders, TraceHeaders
from stream_enforcer.settings import Kafka, Topics

ASYNCAPI_FILE: Final = "asyncapi.yaml"

_BINDING: Final = "0.5.0"
_REF: Final = "#/components/schemas/"
_ACCOUNT_KEY: Final[Json] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 256,
    "description": "The account_id, in UTF-8",
}


class Message(NamedTuple):
    """A message of the contract.

    Attributes:
        channel: The topic's setting, in `topics`.
        title: What it is.
        payload: The document that its value is; None where the value is somebody else's bytes.
        headers: Its headers.
        key: Schema of its key.
        given: Examples, each with `payload` or `headers`.
    """

    channel: str
    title: str
    payload: str | None
    headers: type[BaseModel]
    key: Json
    given: tuple[Json, ...]


class Channel(NamedTuple):
    """A topic of the contract: whether the service receives from it or sends to it, and what it is for."""

    action: Literal["receive", "send"]
    about: str


CHANNELS: Final[Mapping[str, Channel]] = MappingProxyType(
    {
        "signups": Channel("receive", "Accounts that were created, or said again who they are."),
        "usage": Channel("receive", "Uses of the service."),
        "overrides": Channel("receive", "What two people decided about an account."),
        "ownership": Channel(
            "receive",
            "Statements about companies and who holds them, each keyed by its id. A record without a value removes "
            "the statement of its key.",
        ),
        "decisions": Channel(
            "send",
            "Changes of accounts' verdicts, in order for each account. Read them with isolation.level "
            "read_committed, and ignore fields that you do not know.",
        ),
        "dead_letters": Channel(
            "send", "Input records that could not be read: their own key, value and headers, and why."
        ),
    }
)


def asyncapi_file() -> bytes:
    """Return the content of the AsyncAPI file: the same models give the same bytes."""
    text: str = yaml.dump(asyncapi(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
    return text.encode()


class _Plain(yaml.SafeDumper):
    """Writes everything out where it belongs."""

    def ignore_aliases(self, data: object) -> bool:
        """Tell that nothing is written as a reference to what was written before."""
        del data
        return True


def asyncapi() -> Json:
    """Return the AsyncAPI document."""
    messages = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stream Enforcer",
            "version": version("stream-enforcer"),
            "description": "Signups, usage, overrides and ownership statements in; decisions and dead letters out. "
            "Names of topics are the defaults of the settings.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The setting kafka.bootstrap_servers",
                "variables": {"bootstrap": {"default": Kafka().bootstrap_servers}},
            }
        },
        "channels": {name: _channel(name, messages) for name in CHANNELS},
        "operations": {
            f"{channel.action}_{name}": {
                "action": channel.action,
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": channel.about,
                "messages": [
                    {"$ref": f"#/channels/{name}/messages/{key}"}
                    for key, message in messages.items()
                    if message.channel == name
                ],
            }
            for name, channel in CHANNELS.items()
        },
        "components": {
            "messages": {name: _message(name, message) for name, message in messages.items()},
            "schemas": dict(_schemas()),
        },
    }


def _messages() -> dict[str, Message]:
    decision, headers = examples.decided()
    keyed: dict[str, Any] = {"headers": TraceHeaders, "key": _ACCOUNT_KEY}
    traced = {"headers": {name: value.decode() for name, value in (examples.TRACE,)}}
    statement_key = {"type": "string", "minLength": 1, "description": "The statement's id, in UTF-8"}
    return {
        "signup": Message(
            "signups", "Signup", "signup", given=({**traced, "payload": examples.SIGNUP},), **keyed
        ),
        "usage": Message("usage", "Usage", "usage", given=({**traced, "payload": examples.USAGE},), **keyed),
        "override": Message(
            "overrides", "Override", "override", given=({"payload": examples.OVERRIDE},), **keyed
        ),
        "ownership-statement": Message(
            "ownership",
            "Ownership statement",
            "ownership-statement",
            TraceHeaders,
            statement_key,
            ({"payload": examples.ENTITY}, {"payload": examples.STAKE}),
        ),
        "decision": Message(
            "decisions",
            "Decision",
            "decision",
            DecisionHeaders,
            _ACCOUNT_KEY,
            ({"headers": headers, "payload": decision},),
        ),
        "dead-letter": Message(
            "dead_letters",
            "Dead letter",
            None,
            DeadLetterHeaders,
            {"description": "The source's key, whatever it is"},
            ({"headers": examples.dead()},),
        ),
    }


def _channel(name: str, messages: Mapping[str, Message]) -> Json:
    topics = Topics()
    topic = getattr(topics, name)
    config = next(planned.config for planned in plan(topics) if planned.name == topic)
    configuration: Json = {"cleanup.policy": [config["cleanup.policy"]]}
    if "retention.ms" in config:
        configuration["retention.ms"] = int(config["retention.ms"])
    return {
        "address": topic,
        "description": CHANNELS[name].about,
        "messages": {
            key: {"$ref": f"#/components/messages/{key}"}
            for key, message in messages.items()
            if message.channel == name
        },
        "bindings": {
            "kafka": {"topic": topic, "topicConfiguration": configuration, "bindingVersion": _BINDING}
        },
    }


def _message(name: str, message: Message) -> Json:
    about = message.headers if message.payload is None else DOCUMENTS[message.payload].model
    payload = {"payload": {"$ref": f"{_REF}{message.payload}"}} if message.payload else {}
    return {
        "name": name,
        "title": message.title,
        "summary": _summary(about),
        "contentType": "application/json" if message.payload else "application/octet-stream",
        "headers": {"$ref": _REF + message.headers.__name__},
        **payload,
        "bindings": {"kafka": {"key": message.key, "bindingVersion": _BINDING}},
        "examples": list(message.given),
    }


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").splitlines()[0]


def _schemas() -> Iterator[tuple[str, Json]]:
    """Yield every schema and what it is made of, under names of their own: references work from the root only."""
    named = {
        name: DOCUMENTS[name] for name in ("signup", "usage", "override", "ownership-statement", "decision")
    }
    named |= {
        model.__name__: Document(model, "output")
        for model in (TraceHeaders, DecisionHeaders, DeadLetterHeaders)
    }
    parts: dict[str, Json] = {}
    for name, document in named.items():
        schema = _plain(schema_of(document))
        parts |= schema.pop("$defs", {})
        yield name, schema
    yield from sorted(parts.items())


def _plain(node: Any) -> Any:
    """Return a schema without what is said by its place: titles made of names, and that what is missing is null."""
    if isinstance(node, list):
        return [_plain(below) for below in node]
    if not isinstance(node, dict):
        return node
    found = {}
    for name, below in node.items():
        if name == "$ref":
            found[name] = below.replace("#/$defs/", _REF)
        elif name in ("properties", "$defs"):
            found[name] = {key: _plain(value) for key, value in below.items()}
        elif not (name == "title" and isinstance(below, str)) and not (name == "default" and below is None):
            found[name] = _plain(below)
    return found
