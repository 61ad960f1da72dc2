"""What a partition needs to hold before it may open."""

from typing import Literal

from aiokafka import TopicPartition

from stream_enforcer.kafka.changelog import Checkpoint
from stream_enforcer.kafka.failures import Fatal


def refuse_another_partition_count(checkpoint: Checkpoint | None, partitions: int) -> None:
    """Refuse topics with another number of partitions than the accounts were written with.

    Raises:
        Fatal: They have; accounts' keys would go elsewhere.
    """
    if checkpoint is not None and checkpoint.partitions != partitions:
        raise Fatal(
            f"the topics have {partitions} partitions, and the accounts were written when they had "
            f"{checkpoint.partitions}: accounts would be looked for in the wrong partition. Make topics of new "
            "names with the number you want, and let the service read the inputs again into them"
        )


def start_offset(
    tp: TopicPartition,
    expected: int | None,
    held: tuple[int, int],
    start_from: Literal["earliest", "latest"],
) -> int:
    """Return the offset from which to read an input partition.

    Args:
        tp: The input partition.
        expected: What the checkpoint says; None where it says nothing.
        held: The partition's first offset and its end.
        start_from: Where to start without a checkpoint.

    Raises:
        Fatal: The topic does not hold what the checkpoint wants next.
    """
    begin, end = held
    if expected is None:
        return begin if start_from == "earliest" else end
    if begin <= expected <= end:
        return expected
    raise Fatal(
        f"{tp.topic}-{tp.partition}: the checkpoint wants offset {expected}, the topic holds {begin} to {end}: "
        "records were removed before they were judged, or the topic was made anew"
    )
