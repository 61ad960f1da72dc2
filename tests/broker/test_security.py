"""The service behind TLS, SASL and ACLs: what it needs, and what it says when it is not let in."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from stream_enforcer.cli import app
from stream_enforcer.kafka import denials
from stream_enforcer.kafka.access import Command, Grant, needed
from stream_enforcer.kafka.refusal import Refused, refusal
from stream_enforcer.kafka.topics import TopicsMismatch, create
from stream_enforcer.observe.health import ready
from stream_enforcer.settings import Kafka, Settings, Topics
from tests.broker.secured import NO_SASL, PRINCIPAL, TOKENS_ASKED, Secured, secured_kafka
from tests.broker.stage import Running, Stage, broken_chains, until
from tests.builders import ip, signup, world

RIGHTS = [str(grant) for grant in needed(Settings())]
LOGINS: dict[str, Callable[[Secured, str], Kafka]] = {
    "password": lambda secured, group: secured.kafka(group=group),
    "token": lambda secured, group: secured.token_kafka(group=group),
    "certificate": lambda secured, group: secured.mutual_kafka(group=group),
}


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    with secured_kafka() as running:
        yield running


async def stages(secured: Secured, login: str = "password") -> tuple[Stage, Stage]:
    """Make topics; return their stage with every right, and the one that the service has."""
    name = f"t-{uuid4().hex[:10]}"
    shape = {"partitions": 1, "replication": 1}
    names = {field: f"{name}-{field}" for field in Topics.model_fields if field not in shape}
    topics = Topics.model_validate(names | shape)
    free = Stage(Settings(kafka=Kafka(bootstrap_servers=secured.plain, group=name), topics=topics))
    await create(free.clients, topics)
    kafka = LOGINS[login](secured, name)
    return free, replace(free, settings=free.settings.model_copy(update={"kafka": kafka}))


async def feed(stage: Stage) -> int:
    """Send what makes the service use every right."""
    sent = await stage.send([signup("bad", ip=ip("cn"), declared_country="CN")])
    return sent + await stage.send_raw([(stage.topics.usage, b"a", b"not JSON")])


def reasons(running: Running) -> tuple[str, ...]:
    """Give the reasons for which the replica is not ready."""
    return ready(running.health, time.monotonic()).reasons


def says(running: Running, text: str) -> bool:
    return any(text in reason for reason in reasons(running))


@pytest.mark.parametrize("login", LOGINS)
async def test_with_the_least_rights_a_signup_comes_out_as_a_decision(secured: Secured, login: str) -> None:
    free, stage = await stages(secured, login)
    await secured.grant(needed(stage.settings))
    async with stage.running(world()) as running:
        await until(running.ready)
        await running.all_consumed(await feed(free))
    assert [(d["account_id"], d["action"]) for d in await free.decisions()] == [("bad", "suspend")]
    assert len(await free.read(free.topics.dead_letters)) == 1
    assert await free.committed() != {}


async def test_without_one_right_it_says_which_and_works_once_it_has_it(secured: Secured) -> None:
    await asyncio.gather(*(works_only_with(secured, number) for number in range(len(RIGHTS))))


async def works_only_with(secured: Secured, number: int) -> None:
    free, stage = await stages(secured)
    rights = needed(stage.settings)
    missing = rights[number]
    await secured.grant(right for right in rights if right is not missing)
    if missing.resource == "topic":
        await secured.grant([replace(missing, operation="Describe")])
    if missing == Grant("Read", "topic", stage.topics.accounts):
        await written_once(free)  # there is nothing to read in a new one
    async with stage.running(world()) as running:
        sent = await feed(free)
        try:
            await until(lambda: says(running, f"{PRINCIPAL} lacks ") and says(running, str(missing)))
        except TimeoutError:
            pytest.fail(f"without {missing} it said {reasons(running)}")
        assert running.consumed() < sent, f"works without {missing}"
        await secured.grant([missing])
        await running.all_consumed(sent)
    assert [(d["account_id"], d["action"]) for d in await free.decisions()] == [("bad", "suspend")]


async def written_once(stage: Stage) -> None:
    """Let a service with every right write its checkpoints."""
    async with stage.running(world()) as running:
        await until(running.ready)


async def test_a_session_that_ends_with_its_token_costs_no_event(secured: Secured) -> None:
    free, stage = await stages(secured, "token")
    await secured.grant(needed(stage.settings))
    async with stage.running(world()) as running:
        await until(running.ready)
        connections, accounts = len(TOKENS_ASKED), 0
        while len(TOKENS_ASKED) < connections + 6:  # the service holds a handful
            accounts += await free.send([signup(f"a{accounts}", ip=ip("us"))])
        await running.all_consumed(accounts)
    decisions = await free.decisions()
    assert sorted(d["account_id"] for d in decisions) == sorted(f"a{n}" for n in range(accounts))
    assert not broken_chains(decisions)


async def test_a_topic_that_it_may_not_know_of_is_not_called_missing(secured: Secured) -> None:
    _, stage = await stages(secured)
    hidden = stage.topics.decisions
    await secured.grant(right for right in needed(stage.settings) if right.name != hidden)
    with pytest.raises(TopicsMismatch, match=f"^{PRINCIPAL} lacks Describe on topic {hidden}$"):
        async with stage.running(world()) as running:
            await running.task


@pytest.mark.parametrize(("operation", "topic"), [("Write", "decisions"), ("Read", "usage")])
async def test_a_replica_from_which_a_right_is_taken_waits_for_it_and_goes_on(
    secured: Secured, operation: Any, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denials, "LASTS_SECONDS", 1.5)
    free, stage = await stages(secured)
    await secured.grant(needed(stage.settings))
    right = Grant(operation, "topic", getattr(stage.topics, topic))
    async with stage.running(world()) as running:
        await until(running.ready)
        await secured.revoke(right)
        sent = await feed(free)
        await until(lambda: says(running, f"{PRINCIPAL} lacks {right}"))
        await secured.grant([right])
        await running.all_consumed(sent)
        await until(running.ready)
    assert [d["account_id"] for d in await free.decisions()] == ["bad"]


REFUSALS: dict[str, tuple[Callable[[Secured], Kafka], str, bool]] = {
    "wrong password": (
        lambda s: s.kafka(sasl_password="wrong-horse"),  # noqa: S106 - it is the test's
        f"does not let {PRINCIPAL} in: .*; check kafka.sasl_username and kafka.sasl_password",
        True,
    ),
    "no such user": (lambda s: s.kafka(sasl_username="nobody"), "does not let User:nobody in: ", True),
    "mechanism not offered": (
        lambda s: s.kafka(sasl_mechanism="PLAIN"),
        "does not offer kafka.sasl_mechanism PLAIN",
        True,
    ),
    "stale token": (
        lambda s: s.token_kafka("stale_token"),
        "the token is refused: .*; check the tokens of kafka.sasl_oauth_token_provider",
        True,
    ),
    "no token": (
        lambda s: s.token_kafka("no_token"),
        "^kafka.sasl_oauth_token_provider: the token function raised RuntimeError$",
        False,
    ),
    "unknown CA": (
        lambda s: s.kafka(ssl_cafile=s.folder / "other-ca.pem"),
        "certificate of .* is signed by none of kafka.ssl_cafile .*other-ca.pem$",
        True,
    ),
    "no CA": (lambda s: s.kafka(ssl_cafile=None), "is signed by none of the system's CAs$", True),
    "expired server certificate": (
        lambda s: s.kafka(**NO_SASL, bootstrap_servers=s.expired),
        "certificate of .* has expired; it is renewed on the broker",
        False,
    ),
    "wrong host name": (
        lambda s: s.kafka(**NO_SASL, bootstrap_servers=s.misnamed),
        "certificate of .* is for another name; name the broker as its certificate does",
        True,
    ),
    "no client certificate": (
        lambda s: s.kafka(**NO_SASL, bootstrap_servers=s.mutual),
        "wants a client certificate that it trusts: check kafka.ssl_certfile",
        True,
    ),
    "no SASL there": (
        lambda s: s.kafka(bootstrap_servers=s.plain, security_protocol="SASL_PLAINTEXT", ssl_cafile=None),
        "has no SASL; kafka.security_protocol asks for it",
        True,
    ),
    "plain text to TLS": (
        lambda s: Kafka(bootstrap_servers=s.secure),
        "is kafka.security_protocol PLAINTEXT that of this listener",
        False,
    ),
    "TLS to plain text": (
        lambda s: s.kafka(bootstrap_servers=s.plain),
        "is kafka.security_protocol SASL_SSL that of this listener",
        False,
    ),
    "TLS without the SASL that is asked for": (
        lambda s: s.kafka(**NO_SASL),
        "is kafka.security_protocol SSL that of this listener",
        False,
    ),
    "nobody there": (lambda _: Kafka(bootstrap_servers="127.0.0.1:1"), "127.0.0.1:1 is not reached: ", False),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_who_is_not_let_in_is_told_why_and_by_whom(secured: Secured, name: str) -> None:
    make, reason, ours = REFUSALS[name]
    found = await refusal(make(secured))
    assert found is not None
    assert found.ours is ours
    assert re.search(reason, found.reason), found.reason
    assert "horse" not in found.reason


@pytest.mark.parametrize("login", LOGINS)
async def test_who_is_let_in_finds_no_refusal(secured: Secured, login: str) -> None:
    assert await refusal(LOGINS[login](secured, "g")) is None


async def test_one_broker_that_lets_in_is_enough(secured: Secured) -> None:
    kafka = secured.kafka(bootstrap_servers=f"127.0.0.1:1,{secured.secure}")
    assert await refusal(kafka) is None


async def test_at_the_start_a_wrong_password_ends_the_service(secured: Secured) -> None:
    stage = Stage(Settings(kafka=secured.kafka(sasl_password="wrong-horse")))  # noqa: S106 - it is the test's
    with pytest.raises(Refused, match=f"does not let {PRINCIPAL} in"):
        async with stage.running(world()) as running:
            await running.task


async def test_what_others_have_to_mend_is_waited_for(secured: Secured) -> None:
    stage = Stage(Settings(kafka=secured.kafka(**NO_SASL, bootstrap_servers=secured.expired)))
    async with stage.running(world()) as running:
        await until(lambda: says(running, "has expired; it is renewed on the broker"))
        assert not running.task.done()


def environment(kafka: Kafka, **more: str) -> dict[str, str]:
    """Return the environment of a process with these settings."""
    settings = {
        name: value.get_secret_value() if name == "sasl_password" else str(value)
        for name, value in kafka
        if value is not None
    }
    variables = {f"STREAM_ENFORCER_KAFKA__{name.upper()}": value for name, value in settings.items()}
    return {**os.environ, **variables, **{f"STREAM_ENFORCER_{name}": value for name, value in more.items()}}


def test_a_process_with_a_wrong_password_ends_with_2_and_does_not_show_it(secured: Secured) -> None:
    kafka = secured.kafka(sasl_password="wrong-horse")  # noqa: S106 - it is the test's
    ended = subprocess.run(
        [sys.executable, "-m", "stream_enforcer", "run"],
        env=environment(kafka, HTTP__PORT="0", LOG_LEVEL="debug"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert f"does not let {PRINCIPAL} in" in ended.stderr.splitlines()[-1]
    assert "horse" not in ended.stderr + ended.stdout


COMMANDS: dict[Command, list[str]] = {
    "topics check": [],
    "explain": ["bad"],
    "dead-letters list": [],
    "dead-letters retry": ["--yes"],
}


async def worked(secured: Secured) -> Stage:
    """Return a stage without any right, where a service has made a decision and a dead letter."""
    free, stage = await stages(secured)
    async with free.running(world()) as running:
        await running.all_consumed(await feed(free))
    return stage


def test_every_command_works_with_the_rights_that_it_needs_and_names_the_one_it_lacks(
    secured: Secured,
) -> None:
    stage = asyncio.run(worked(secured))
    settings = stage.settings
    names = {f"TOPICS__{field.upper()}": str(value) for field, value in stage.topics}
    env = environment(settings.kafka, **names)
    for command, more in COMMANDS.items():
        lacking = CliRunner().invoke(app, [*command.split(), *more], env=env)
        assert f"{PRINCIPAL} lacks " in lacking.stderr or "missing topics" in lacking.stderr, command
        asyncio.run(secured.grant(needed(settings, command)))
        done = CliRunner().invoke(app, [*command.split(), *more], env=env)
        assert done.exit_code == 0, done.output
        for grant in needed(settings, command):
            asyncio.run(secured.revoke(grant))


@pytest.mark.parametrize("login", LOGINS)
def test_topics_are_created_over_every_way_of_logging_in(secured: Secured, login: str) -> None:
    name = f"t-{uuid4().hex[:10]}"
    shape = {"partitions": 2, "replication": 1}
    names = {field: f"{name}-{field}" for field in Topics.model_fields if field not in shape}
    topics = Topics.model_validate(names | shape)
    settings = Settings(kafka=LOGINS[login](secured, name), topics=topics)
    env = environment(settings.kafka, **{f"TOPICS__{field.upper()}": str(value) for field, value in topics})
    lacking = CliRunner().invoke(app, ["topics", "create"], env=env)
    assert (lacking.exit_code, lacking.stdout) == (2, "")
    assert " lacks " in lacking.stderr
    asyncio.run(secured.grant(needed(settings, "topics create")))
    created = CliRunner().invoke(app, ["topics", "create"], env=env)
    assert (created.exit_code, sorted(created.stdout.split())) == (0, sorted(names.values())), created.stderr
    again = CliRunner().invoke(app, ["topics", "create"], env=env)
    assert (again.exit_code, again.stdout) == (0, ""), again.stderr
