"""The frame that serializers of a schema registry put before a record's JSON.

Confluent's wire format, version 0: a zero byte, then the schema's id in four bytes, then the JSON text. JSON begins
with no zero byte, so a frame is never mistaken for JSON, nor JSON for a frame.
"""

from typing import Final

FRAME_BYTES: Final = 5
FRAMED_BELOW: Final = b"\x01"
"""What begins with a zero byte sorts below this, and no JSON does: one comparison, and nothing is copied to make it."""


def unframed(value: bytes) -> bytes:
    """Return a record's value without its frame; as it is where it has none. The schema's id is not looked at."""
    return value[FRAME_BYTES:] if value < FRAMED_BELOW else value
