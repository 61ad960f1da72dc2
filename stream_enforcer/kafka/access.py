"""Which rights the service needs in Kafka, and which one is missing when Kafka refuses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from stream_enforcer.settings import Kafka, Settings, Topics

Resource = Literal["topic", "group", "transactional-id"]
Operation = Literal["Create", "Describe", "Read", "Write"]
Command = Literal[
    "run", "topics create", "topics check", "explain", "replay", "dead-letters list", "dead-letters retry"
]

COMMANDS: Final[tuple[Command, ...]] = get_args(Command)

_REFUSED: Final[dict[type, Resource]] = {
    TopicAuthorizationFailedError: "topic",
    GroupAuthorizationFailedError: "group",
    TransactionalIdAuthorizationFailed: "transactional-id",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One operation that is allowed on one resource. Read and Write imply Describe.

    Attributes:
        operation: The operation, in Kafka's word.
        resource: Kind of the resource.
        name: Its name, or how the names begin.
        prefixed: Whether `name` is how the names begin.
    """

    operation: Operation
    resource: Resource
    name: str
    prefixed: bool = False

    def covers(self, name: str) -> bool:
        """Tell whether the resource of that name is meant."""
        return name.startswith(self.name) if self.prefixed else name == self.name

    def __str__(self) -> str:
        return f"{self.operation} on {self.resource} {self.name}{'*' if self.prefixed else ''}"

    def as_acl(self, principal: str) -> str:
        """Return the arguments of Kafka's `kafka-acls.sh` that grant it."""
        pattern = " --resource-pattern-type prefixed" if self.prefixed else ""
        resource = f"--{self.resource} '{self.name}'{pattern}"
        return f"--add --allow-principal '{principal}' --operation {self.operation} {resource}"


def needed(settings: Settings, command: Command = "run") -> tuple[Grant, ...]:
    """Return the least rights with which a command does all of its work."""
    topics = settings.topics
    inputs = (topics.signups, topics.usage, topics.overrides)
    outputs = (topics.accounts, topics.decisions, topics.dead_letters)
    if command == "run":
        return _of_run(settings.kafka, topics, inputs)
    everything = (*inputs, topics.ownership, *outputs)
    on_topics: dict[Command, tuple[tuple[Operation, Iterable[str]], ...]] = {
        "topics create": (("Create", everything), ("Describe", everything)),
        "topics check": (("Describe", everything),),
        "explain": (("Read", [topics.decisions, topics.accounts]),),
        "replay": (("Read", [*inputs, topics.decisions]),),
        "dead-letters list": (("Read", [topics.dead_letters]),),
        "dead-letters retry": (("Read", [topics.dead_letters]), ("Write", inputs)),
    }
    return tuple(grant for one in on_topics[command] for grant in _on_topics(*one))


def _on_topics(operation: Operation, names: Iterable[str]) -> tuple[Grant, ...]:
    return tuple(Grant(operation, "topic", name) for name in names)


def _of_run(kafka: Kafka, topics: Topics, inputs: Iterable[str]) -> tuple[Grant, ...]:
    return (
        *_on_topics("Read", (*inputs, topics.ownership, topics.accounts)),
        *_on_topics("Write", (topics.accounts, topics.decisions, topics.dead_letters)),
        Grant("Read", "group", kafka.group),
        Grant("Write", "transactional-id", f"{kafka.group}-{kafka.environment}-", prefixed=True),
    )


def principal(kafka: Kafka) -> str:
    """Name who the brokers take this service for, as far as the settings tell."""
    if kafka.sasl_username is not None:
        return f"User:{kafka.sasl_username}"
    if kafka.sasl_oauth_token_provider is not None:
        return "the subject of the token"
    return "User:ANONYMOUS" if kafka.ssl_certfile is None else "the subject of kafka.ssl_certfile"


def lacking(error: BaseException, settings: Settings, command: Command = "run") -> str | None:
    """Say which right is missing, and to whom, when the error is a refusal of one; None when it is none.

    Args:
        error: What a client raised. It names the resource, and never the operation.
        settings: The service's settings.
        command: Who was refused; tells the operations that it needs.
    """
    denial = next((cause for cause in _causes(error) if type(cause) in _REFUSED), None)
    if denial is None:
        return None
    resource, named = _REFUSED[type(denial)], _names(denial)
    lacks = [
        str(grant)
        for grant in needed(settings, command)
        if grant.resource == resource and (not named or any(grant.covers(name) for name in named))
    ]
    what = " or ".join(lacks) or f"a right on {resource} {', '.join(sorted(named))}"
    return f"{principal(settings.kafka)} lacks {what}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _names(error: BaseException) -> set[str]:
    """Return the resources that a refusal names: its argument is a name or a set of names."""
    said = error.args[0] if error.args else ()
    return {said} if isinstance(said, str) else {str(name) for name in said}
