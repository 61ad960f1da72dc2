"""The form of a snapshot file: fixed start, JSON header, aligned sections, checksum.

    magic (8) | version (4) | length of the header (4) | SHA-256 of the header (32) | header | sections | SHA-256

Numbers are little-endian. Sections begin at multiples of 64 bytes; their offsets count from the first such place
after the header, so the header can say where they are without knowing its own length. The last 32 bytes are the
SHA-256 of everything before them.
"""

import struct
from importlib.metadata import version
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from stream_enforcer.domain.ownership.merging import Identity
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.reference.report import Kind, Unit

MAGIC: Final = b"\x89SEOWN\r\n"
"""Not text, and damaged by whatever translates the ends of lines."""
VERSION: Final = 5
FOLDED_BY: Final = f"rigour {version('rigour')}"
"""What names were folded by. Another version may fold some of them otherwise: they would not be found."""
ALIGN: Final = 64
START: Final = struct.Struct("<8sII32s")
CHECKSUM: Final = 32
LONGEST_HEADER: Final = 16 << 20

Dtype = Literal["u1", "u2", "u4", "u8"]
Rows = Literal[
    "entities", "parties", "stakes", "sources", "identifiers", "names", "merges", "members", "bytes"
]

SECTIONS: Final[dict[str, tuple[Dtype, Rows, int]]] = {
    # Of each entity: what it is and where. The other parties, those that no record describes, have but a text.
    "entity_type": ("u1", "entities", 0),
    "entity_country": ("u2", "entities", 0),
    "entity_headquarters": ("u2", "entities", 0),
    "entity_verdict": ("u1", "entities", 0),
    "party_text_start": ("u8", "parties", 1),
    "party_text": ("u1", "bytes", 0),
    "party_hash": ("u8", "parties", 0),
    "party_of_hash": ("u4", "parties", 0),
    # Stakes stand by held company, then by id.
    "held_start": ("u4", "parties", 1),
    "stake_holder": ("u4", "stakes", 0),
    "stake_held": ("u4", "stakes", 0),
    "stake_min": ("u4", "stakes", 0),
    "stake_max": ("u4", "stakes", 0),
    "stake_since": ("u4", "stakes", 0),
    "stake_until": ("u4", "stakes", 0),
    "stake_source": ("u4", "stakes", 0),
    "stake_text_start": ("u8", "stakes", 1),
    "stake_text": ("u1", "bytes", 0),
    "stake_hash": ("u8", "stakes", 0),
    "stake_of_hash": ("u4", "stakes", 0),
    "holder_start": ("u4", "parties", 1),
    "holder_stake": ("u4", "stakes", 0),
    "source_text_start": ("u8", "sources", 1),
    "source_text": ("u1", "bytes", 0),
    "identifier_hash": ("u8", "identifiers", 0),
    "identifier_entity": ("u4", "identifiers", 0),
    "name_hash": ("u8", "names", 0),
    "name_entity": ("u4", "names", 0),
    # Companies of several records: what is known of each, and the entities by the hashes of the ids not kept.
    "merge_text_start": ("u8", "merges", 1),
    "merge_text": ("u1", "bytes", 0),
    "member_hash": ("u8", "members", 0),
    "member_entity": ("u4", "members", 0),
}
"""By name: the type of the items, what they are counted by, and how many more than that there are."""

ITEM_BYTES: Final[dict[Dtype, int]] = {"u1": 1, "u2": 2, "u4": 4, "u8": 8}

_Count = Field(ge=0, lt=1 << 48)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Section(_Model):
    """Where a section is, in bytes from the first, and how many items it has."""

    offset: int = _Count
    dtype: Dtype
    length: int = _Count


class Counts(_Model):
    """How much there is of what."""

    entities: int = _Count
    parties: int = _Count
    stakes: int = _Count
    sources: int = _Count
    identifiers: int = _Count
    names: int = _Count
    merges: int = _Count
    members: int = _Count


class ReasonCount(_Model):
    """Why statements of a source were not used as they stand, how often, and where this was first so."""

    kind: Kind
    text: str
    count: int = _Count
    first: int


class SourceFile(_Model):
    """A file that the snapshot was built from; its name is without the folder."""

    name: str
    sha256: str
    size: int = _Count
    format: str
    unit: Unit
    read: int = _Count
    used: int = _Count
    reasons: list[ReasonCount]


class Identified(_Model):
    """What was found of companies that several records are of; see `domain.ownership.merging.Identity`."""

    companies: int = _Count
    records: int = _Count
    conflicts: dict[str, int]
    inner: int = _Count
    doubled: int = _Count
    disagreements: int = _Count
    apart_unknown: int = _Count

    def found(self) -> Identity:
        """Return it as it is without a snapshot."""
        return Identity(**self.model_dump())


class Asked(_Model):
    """The question that the verdicts answer, and the day that they are for.

    Attributes:
        since: The first day on which the same stakes hold as on `on`; None: there is no earlier one.
        until: The first later day on which others hold; None: there is none.
    """

    restricted: list[str]
    threshold: int
    strict: bool
    exceptions: list[str]
    on: str
    since: str | None
    until: str | None

    def question(self) -> Question:
        """Return the question itself."""
        return Question(frozenset(self.restricted), self.threshold, self.strict, frozenset(self.exceptions))


class Header(_Model):
    """What a snapshot says of itself.

    Attributes:
        builder: Which program wrote it, with version.
        folded_by: What names were folded by.
        hash: What decisions call the data: SHA-256 hex of the files that it was built from, as in memory.
        keep_apart: SHA-256 hex of what was kept apart; see `reference.keep_apart`.
        unresolved: Parties of stakes that no record describes, those that only say "somebody" left out.
        asked: None: there are no verdicts, and `entity_verdict` is zero.
        data_length: Bytes from the first section to the checksum.
    """

    builder: str
    folded_by: str
    hash: str
    as_of: str | None
    counts: Counts
    unresolved: int = _Count
    identity: Identified
    keep_apart: str
    sources: list[SourceFile]
    asked: Asked | None
    sections: dict[str, Section]
    data_length: int = _Count


def aligned(length: int) -> int:
    """Return the next multiple of the alignment."""
    return -(-length // ALIGN) * ALIGN


def data_start(header_length: int) -> int:
    """Return where the sections begin."""
    return aligned(START.size + header_length)
