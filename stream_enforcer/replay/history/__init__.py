"""History: what topics and files held when the reading began, in one order that anybody can have again."""

from stream_enforcer.replay.history.order import Chunk, Dated, Merge, in_order
from stream_enforcer.replay.history.sources import (
    NEVER,
    BadHistory,
    Batch,
    Manifest,
    Part,
    Position,
    Source,
)

__all__ = [
    "NEVER",
    "BadHistory",
    "Batch",
    "Chunk",
    "Dated",
    "Manifest",
    "Merge",
    "Part",
    "Position",
    "Source",
    "in_order",
]
