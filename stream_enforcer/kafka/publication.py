"""What a piece of work becomes in the topics."""

from itertools import chain

from stream_enforcer.domain.account_state import encode
from stream_enforcer.kafka.changelog import (
    ACCOUNT_PREFIX,
    CHECKPOINT_KEY,
    COST_PREFIX,
    Checkpoint,
    Sweep,
    WorldId,
)
from stream_enforcer.kafka.transaction import NO_HEADERS, Outgoing
from stream_enforcer.kafka.work import Work
from stream_enforcer.settings import Topics


def next_checkpoint(
    before: Checkpoint | None, work: Work, partitions: int, progress: tuple[WorldId, Sweep | None]
) -> Checkpoint:
    """Return where the task stands once the work is committed.

    Args:
        before: Where it stood.
        work: What it commits.
        partitions: How many partitions the topics have.
        progress: The world in which accounts were last judged, and how far a sweep towards another one came.
    """
    return Checkpoint({**(before.offsets if before else {}), **work.offsets}, partitions, *progress)


def outgoing(work: Work, checkpoint: Checkpoint, topics: Topics) -> list[Outgoing]:
    """Return what to publish, the checkpoint last."""
    out = []
    if work.dead_letters:
        out.append(Outgoing(topics.dead_letters, work.dead_letters))
    if work.decisions:
        out.append(Outgoing(topics.decisions, work.decisions))
    states = (
        (ACCOUNT_PREFIX + key, None if account is None else encode(account), NO_HEADERS)
        for key, account in work.states.items()
    )
    costs = ((COST_PREFIX + key, spent, NO_HEADERS) for key, spent in work.spent.items())
    position = (CHECKPOINT_KEY, checkpoint.encode(), NO_HEADERS)
    return [*out, Outgoing(topics.accounts, chain(states, costs, [position]))]
