"""The compacted topic that holds account states and positions, and the way back from it into memory."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from stream_enforcer.domain.account_state import UnknownFormat
from stream_enforcer.kafka.accounts import Accounts
from stream_enforcer.kafka.cleaned_tail import CleanedTail
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.costs import Costs
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, START_SECONDS, end_within, start_within

CHECKPOINT_KEY: Final = b"ckpt"
ACCOUNT_PREFIX: Final = b"a:"
COST_PREFIX: Final = b"c:"
FORMAT: Final = 1

NO_PROGRESS_SECONDS: Final = 30.0
POLL_MS: Final = 200


class WorldId(NamedTuple):
    """Hashes of the policy and of the reference data that accounts were judged with."""

    policy: str
    reference: str

    def what_changed(self, now: "WorldId") -> Literal["policy", "reference"]:
        """Name what is to blame for a second look at accounts; reference data where both changed."""
        return "policy" if self.reference == now.reference else "reference"


class Sweep(NamedTuple):
    """How far the accounts of a partition were judged again in a changed world: the last key that was."""

    towards: WorldId
    last: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a task stands; the last record of each of its transactions.

    Attributes:
        offsets: Next offset to read, by input topic.
        partitions: How many partitions the topics had: with another number, accounts' keys go elsewhere.
        world: The world in which every account of the partition was last judged.
        sweep: The sweep that is under way; None when there is none.
    """

    offsets: Mapping[str, int]
    partitions: int
    world: WorldId
    sweep: Sweep | None = None

    def encode(self) -> bytes:
        """Return the checkpoint's record value."""
        data = [FORMAT, dict(self.offsets), self.partitions, self.world, self.sweep]
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS, default=tuple)

    @classmethod
    def decode(cls, value: bytes) -> "Checkpoint":
        """Read a checkpoint's record value.

        Raises:
            ChangelogUnreadable: It was written in another format.
        """
        read = _READERS.get(value.split(b",", 1)[0])
        if read is None:
            raise ChangelogUnreadable(f"the checkpoint is not of format {FORMAT}, which this version reads")
        try:
            _, offsets, partitions, world, sweep = read(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ChangelogUnreadable(f"the checkpoint cannot be read: {place}: {first['msg']}") from None
        under_way = None if sweep is None else Sweep(WorldId(*sweep[0]), sweep[1])
        return cls(offsets, partitions, WorldId(*world), under_way)


_Offset = Annotated[int, Field(ge=0, lt=1 << 63)]
_WorldId1 = tuple[str, str]
_CHECKPOINT_1: Final = TypeAdapter[Any](
    tuple[
        Literal[1], dict[str, _Offset], Annotated[int, Field(ge=1)], _WorldId1, tuple[_WorldId1, str] | None
    ],
    config=ConfigDict(strict=True),
).validator
_READERS: Final[Mapping[bytes, Callable[[bytes], Any]]] = {b"[1": _CHECKPOINT_1.validate_json}
"""The reader of each format, by the bytes that a checkpoint of it begins with."""


class ChangelogUnreadable(Exception):
    """The changelog holds what this version cannot read; starting would forget accounts."""


class RestoreStalled(Exception):
    """The changelog's end was not reached, and nothing came for a while; worth another try."""


@dataclass(slots=True)
class Restored:
    """What a partition's changelog says, up to a position.

    Attributes:
        accounts: Committed account states.
        checkpoint: The last committed checkpoint; None where there never was one.
        position: Next changelog offset to read.
        costs: What the accounts spent.
    """

    accounts: Accounts = field(default_factory=Accounts)
    checkpoint: Checkpoint | None = None
    position: int = 0
    costs: Costs = field(default_factory=Costs)

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Apply one changelog record.

        Raises:
            ChangelogUnreadable: It is of no kind that this version writes.
        """
        prefix = None if key is None else key[:2]
        if key is not None and prefix == ACCOUNT_PREFIX:
            try:
                key.isascii() or key.decode()
            except UnicodeDecodeError:
                raise ChangelogUnreadable("the key of an account's record is not UTF-8") from None
            self.accounts.put_encoded(key[2:], value)
        elif key is not None and prefix == COST_PREFIX:
            try:
                self.costs.put_encoded(key[2:], value)
            except UnknownFormat as error:
                raise ChangelogUnreadable(str(error)) from None
        elif key == CHECKPOINT_KEY and value is not None:
            self.checkpoint = Checkpoint.decode(value)
        else:
            raise ChangelogUnreadable("a changelog record is neither an account, a cost nor a checkpoint")


async def restore(clients: Clients, tp: TopicPartition, restored: Restored) -> None:
    """Read a changelog partition from where `restored` stands to its end, committed records only.

    Call it only when the partition's producer has been started: that fences and settles what came before, so
    that the end found here is the true one.

    Args:
        clients: Makes the readers.
        tp: The changelog's partition.
        restored: What is known already; brought up to date in place.

    Raises:
        RestoreStalled: No progress for a while.
        ChangelogUnreadable: A record is not of this version.
    """
    reader = clients.reader()
    try:
        await start_within(START_SECONDS, reader.start())
        begin, target = (await bounds(clients, [tp]))[tp]
        reader.assign([tp])
        restored.position = max(restored.position, begin)
        reader.seek(tp, restored.position)
        await _read(reader, tp, target, restored)
        restored.position = max(restored.position, target)
    finally:
        await end_within(CLOSE_SECONDS, reader.stop())


async def bounds(clients: Clients, tps: list[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
    """Return each partition's first offset and its high watermark.

    The high watermark, not the last stable offset: an open transaction of a predecessor hides records from the
    latter, and a restore that ends there forgets them.
    """
    reader = clients.reader("read_uncommitted")
    try:
        await start_within(START_SECONDS, reader.start())
        begin = await reader.beginning_offsets(tps)
        end = await reader.end_offsets(tps)
    finally:
        await end_within(CLOSE_SECONDS, reader.stop())
    return {tp: (begin[tp], end[tp]) for tp in tps}


async def _read(reader: AIOKafkaConsumer, tp: TopicPartition, target: int, restored: Restored) -> None:
    loop, tail = asyncio.get_running_loop(), CleanedTail(reader, tp, target)
    seen, since = -1, loop.time()
    while (position := await reader.position(tp)) < target:
        restored.position = position  # so that a restore that is interrupted goes on from here
        if position > seen:
            seen, since = position, loop.time()
        elif loop.time() - since > NO_PROGRESS_SECONDS:
            raise RestoreStalled(f"the changelog stands at offset {position} of {target}")
        records = (await reader.getmany(tp, timeout_ms=POLL_MS)).get(tp, ())
        for record in records:
            if record.offset < target:
                restored.apply(record.key, record.value)
        if not records and tail.reached(await reader.position(tp)):
            return
