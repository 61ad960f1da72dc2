"""What the topics hold after a scenario, judged partition by partition, record by record: nothing is kept whole."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.domain.account import Account
from stream_enforcer.domain.engine import Emit, step
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.bounded_read import records_of
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within
from stream_enforcer.kafka.service import input_kinds
from stream_enforcer.reference.policy_file import load_policy
from stream_enforcer.reference.world_files import load_world
from stream_enforcer.replay.event_files import Line
from stream_enforcer.replay.verification import verify_decisions
from stream_enforcer.settings import Settings
from tests.broker.faults.chains import Chains, Link
from tests.broker.stage import Stage

EMIT: Emit = "every"
"""Each event then leaves a mark in the output, so that the loss of a single one shows."""
JUDGES = 2
VERIFY_EVERY = 5
"""`verify` looks at the accounts of which it is given one in so many, where there are many decisions."""
MANY_DECISIONS = 100_000


@dataclass(slots=True)
class Inputs:
    """What a partition's inputs hold, and what comes of it without Kafka.

    Attributes:
        records: Number of records.
        malformed: Those that belong to the dead letters.
        accounts: Each account's last state.
        events: Signups and usage of each account, each of which makes a decision.
        overrides: Overrides of each account, each of which may.
        topics: The topics that each account's inputs came through.
    """

    records: int = 0
    malformed: int = 0
    accounts: dict[bytes, Account] = field(default_factory=dict)
    events: Counter[bytes] = field(default_factory=Counter)
    overrides: Counter[bytes] = field(default_factory=Counter)
    topics: dict[bytes, set[str]] = field(default_factory=dict)


class Outputs(NamedTuple):
    """What a partition's outputs hold.

    Attributes:
        chains: Its decisions.
        watched: Its decisions, as a concurrent reader saw them.
        dead_letters: Number of dead letters.
        verified: What `verify` finds wrong; None when nothing is.
    """

    chains: Chains
    watched: Chains
    dead_letters: int
    verified: str | None


@dataclass(slots=True)
class Findings:
    """A partition's outputs beside its inputs; `failures` names what does not fit."""

    records: int
    decisions: int
    dead_letters: int
    one_topic: int
    lost: int
    repeated: int
    failures: list[str]


async def judge(stage: Stage, watched: list[Chains]) -> list[Findings]:
    """Judge every partition.

    Args:
        stage: The scenario's topics, at rest.
        watched: By partition, what a concurrent reader saw of the decisions.
    """
    loop = asyncio.get_running_loop()
    # Processes of their own: two run at once, and this one keeps nothing of what they held.
    with ProcessPoolExecutor(JUDGES, get_context("spawn")) as pool:
        return await asyncio.gather(
            *(
                loop.run_in_executor(pool, judge_partition, stage.settings, partition, seen)
                for partition, seen in enumerate(watched)
            )
        )


def judge_partition(settings: Settings, partition: int, watched: Chains) -> Findings:
    """Judge one partition, in a process of its own."""
    return asyncio.run(_judge_partition(Stage(settings), partition, watched))


async def _judge_partition(stage: Stage, partition: int, watched: Chains) -> Findings:
    reader = stage.clients.reader()
    await reader.start()
    try:
        inputs = await _decide(stage.settings, partition, reader)
        chains, verified = await _follow(stage, partition, reader)
        dead_letters = 0
        async for _ in records_of(reader, TopicPartition(stage.topics.dead_letters, partition)):
            dead_letters += 1
    finally:
        await end_within(CLOSE_SECONDS, reader.stop())
    return compare(partition, inputs, Outputs(chains, watched, dead_letters, verified))


async def _decide(settings: Settings, partition: int, reader: AIOKafkaConsumer) -> Inputs:
    """Judge the input's records anew, one after another; usage is most of it, and is not held."""
    world = load_world(None, geo_sources(), [ownership_file()]).world
    topics = settings.topics
    inputs = Inputs()
    held = [
        record
        for topic in (topics.signups, topics.overrides)
        async for record in records_of(reader, TopicPartition(topic, partition))
    ]
    held.sort(key=lambda r: (r.timestamp, r.topic, r.offset), reverse=True)
    async for record in records_of(reader, TopicPartition(topics.usage, partition)):
        while held and held[-1].timestamp <= record.timestamp:
            _take(inputs, held.pop(), settings, world)
        _take(inputs, record, settings, world)
    for record in reversed(held):
        _take(inputs, record, settings, world)
    return inputs


def _take(inputs: Inputs, record: ConsumerRecord[bytes, bytes], settings: Settings, world: World) -> None:
    key = record.key or b""
    caused = step(record, input_kinds(settings)[record.topic], inputs.accounts.get(key), world, EMIT)
    inputs.records += 1
    if caused.malformed is not None:
        inputs.malformed += 1
        return
    if caused.account is not None:
        inputs.accounts[key] = caused.account
    (inputs.overrides if record.topic == settings.topics.overrides else inputs.events)[key] += 1
    inputs.topics.setdefault(key, set()).add(record.topic)


async def _follow(stage: Stage, partition: int, reader: AIOKafkaConsumer) -> tuple[Chains, str | None]:
    """Follow the decisions to their end, and `verify` them, or those of some accounts where they are many."""
    tp = TopicPartition(stage.topics.decisions, partition)
    end = (await reader.end_offsets([tp]))[tp]
    chains, lines = Chains(), []
    async for record in records_of(reader, tp):
        chains.see(orjson.loads(record.value))
        if end <= MANY_DECISIONS or sum(record.key) % VERIFY_EVERY == 0:
            lines.append(Line(record.offset, record.value, whole=True))
    failure = verify_decisions(lines, load_policy(None), partial=False).failure
    return chains, None if failure is None else f"offset {failure.line}: {failure.what}"


def compare(partition: int, inputs: Inputs, outputs: Outputs) -> Findings:
    """Compare a partition's outputs with what its inputs give."""
    chains, watched, dead_letters, verified = outputs
    ends = {account.encode(): link for account, link in chains.ends.items()}
    fewer, more = _other_counts(inputs, ends)
    one_topic = [key for key, topics in inputs.topics.items() if len(topics) == 1]
    other = [key for key in one_topic if not _ends_as(inputs.accounts[key], ends.get(key))]
    verdicts = [key for key, account in inputs.accounts.items() if not _says(account, ends.get(key))]
    unknown = ends.keys() - inputs.accounts.keys()
    promises = {
        f"chains are broken: {_counts(chains)}": chains.whole,
        f"chains were broken while they grew: {_counts(watched)}": watched.whole,
        f"the concurrent reader saw other decisions: {watched.seen}, not {chains.seen}": (
            watched.seen == chains.seen and watched.ends == chains.ends
        ),
        f"accounts have too few decisions: {_some(fewer)}": not fewer,
        f"accounts have too many decisions: {_some(more)}": not more,
        "no account's events came through one topic: no sequence was compared": bool(one_topic),
        f"{len(other)} accounts of one topic have another sequence: {other[:3]}": not other,
        f"{len(verdicts)} verdicts differ from decide: {verdicts[:3]}": not verdicts,
        f"decisions of accounts without events: {sorted(unknown)[:3]}": not unknown,
        f"{dead_letters} dead letters, not {inputs.malformed}": dead_letters == inputs.malformed,
        f"verify: {verified}": verified is None,
    }
    unburied = inputs.malformed - dead_letters
    return Findings(
        records=inputs.records,
        decisions=chains.seen,
        dead_letters=dead_letters,
        one_topic=len(one_topic),
        lost=max(watched.lost, chains.lost) + fewer.total() + max(0, unburied),
        repeated=max(watched.repeated, chains.repeated) + more.total() + max(0, -unburied),
        failures=[f"partition {partition}: {words}" for words, kept in promises.items() if not kept],
    )


def _other_counts(inputs: Inputs, ends: Mapping[bytes, Link]) -> tuple[Counter[bytes], Counter[bytes]]:
    """Count the decisions that accounts have too few and too many; an override may or may not make one."""
    fewer, more = Counter[bytes](), Counter[bytes]()
    for key, least in inputs.events.items():
        count = ends[key].sequence if key in ends else 0
        fewer[key] = max(0, least - count)
        more[key] = max(0, count - least - inputs.overrides[key])
    return +fewer, +more


def _ends_as(account: Account, end: Link | None) -> bool:
    return end is not None and end.decision_id == account.decision_id


def _says(account: Account, end: Link | None) -> bool:
    expected = (account.action, account.review, account.codes)
    return end is not None and (end.action, end.review, end.codes) == expected


def _counts(chains: Chains) -> str:
    return f"{chains.lost} lost, {chains.repeated} repeated, {chains.unlinked} unlinked"


def _some(counts: Counter[bytes]) -> list[tuple[bytes, int]]:
    return counts.most_common(3)
