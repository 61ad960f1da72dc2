"""Rights: which are needed, how one that is missing is named, and that the page of security says the same."""

import re
from pathlib import Path

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from stream_enforcer.kafka.access import COMMANDS, Grant, lacking, needed, principal
from stream_enforcer.kafka.topics import plan
from stream_enforcer.settings import Kafka, Settings

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
SETTINGS = Settings(
    kafka=Kafka(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username="svc",
        sasl_password="hunter2",  # noqa: S106 - the test's
    )
)


def caused(error: KafkaError, cause: KafkaError) -> KafkaError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TopicAuthorizationFailedError("usage"), "Read on topic usage"),
        (TopicAuthorizationFailedError({"decisions"}), "Write on topic decisions"),
        (
            TopicAuthorizationFailedError("enforcer-accounts"),
            "Read on topic enforcer-accounts or Write on topic enforcer-accounts",
        ),
        (TopicAuthorizationFailedError("other"), "a right on topic other"),
        (GroupAuthorizationFailedError("stream-enforcer"), "Read on group stream-enforcer"),
        (GroupAuthorizationFailedError(), "Read on group stream-enforcer"),
        (
            TransactionalIdAuthorizationFailed("stream-enforcer-dev-3"),
            "Write on transactional-id stream-enforcer-dev-*",
        ),
        (caused(KafkaError("x"), TopicAuthorizationFailedError("signups")), "Read on topic signups"),
    ],
)
def test_a_denial_names_who_lacks_what(error: KafkaError, said: str) -> None:
    assert lacking(error, SETTINGS) == f"User:svc lacks {said}"


def test_what_is_lacking_depends_on_who_asked() -> None:
    error = TopicAuthorizationFailedError("decisions")
    assert lacking(error, SETTINGS, "explain") == "User:svc lacks Read on topic decisions"


@pytest.mark.parametrize("error", [KafkaError("x"), OSError("y"), TimeoutError()])
def test_another_failure_is_no_denial(error: BaseException) -> None:
    assert lacking(error, SETTINGS) is None


def test_a_service_is_named_by_what_it_comes_in_with() -> None:
    assert principal(SETTINGS.kafka) == "User:svc"
    assert principal(Kafka()) == "User:ANONYMOUS"
    tls = Kafka(security_protocol="SSL", ssl_certfile=Path("c.pem"))
    assert principal(tls) == "the subject of kafka.ssl_certfile"
    tokens = {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": "a:b"}
    token = Kafka.model_validate({"security_protocol": "SASL_SSL", **tokens})
    assert principal(token) == "the subject of the token"


def test_every_topic_of_the_service_is_asked_for_and_nothing_twice() -> None:
    for command in COMMANDS:
        rights = needed(SETTINGS, command)
        assert len(set(rights)) == len(rights)
    names = {grant.name for grant in needed(SETTINGS) if grant.resource == "topic"}
    assert names == {topic.name for topic in plan(SETTINGS.topics)}


def test_no_transactional_id_of_another_service_is_covered() -> None:
    (grant,) = (grant for grant in needed(SETTINGS) if grant.resource == "transactional-id")
    assert grant.covers("stream-enforcer-dev-0")
    assert not grant.covers("stream-enforcer-devel-0")


def test_a_right_as_kafka_s_own_tool_takes_it() -> None:
    assert Grant("Read", "group", "g").as_acl("User:a") == (
        "--add --allow-principal 'User:a' --operation Read --group 'g'"
    )
    assert Grant("Write", "transactional-id", "g-", prefixed=True).as_acl("User:a") == (
        "--add --allow-principal 'User:a' --operation Write --transactional-id 'g-' "
        "--resource-pattern-type prefixed"
    )


def test_the_page_of_security_lists_the_rights_that_the_code_needs() -> None:
    rows = re.findall(r"^\| `([a-z -]+)` \| (\w+) \| ([a-z-]+) \| (`.+`) \|$", PAGE, re.MULTILINE)
    listed = {
        (command, operation, resource, name)
        for command, operation, resource, names in rows
        for name in re.findall("`([^`]+)`", names)
    }
    assert listed == {
        (command, grant.operation, grant.resource, grant.name + "*" * grant.prefixed)
        for command in COMMANDS
        for grant in needed(Settings(), command)
    }
