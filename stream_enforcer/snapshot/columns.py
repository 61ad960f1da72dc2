"""Entities and stakes as columns, a batch at a time: the form in which a build passes them on."""

from datetime import date
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from stream_enforcer.domain.ownership.graph import Entity, Stake
from stream_enforcer.domain.ownership.identity import ID, NATIVE, SAME, ties_of
from stream_enforcer.domain.ownership.names import NAME
from stream_enforcer.domain.ownership.resolve import entity_keys
from stream_enforcer.snapshot.digest import country_code, digest, digest_of_key
from stream_enforcer.snapshot.records import TYPES

Array = npt.NDArray[Any]

PREFIX: Final = 24
"""How much of a stake's id takes part in the first sort."""

NO_ENTITY: Final = 255
"""In the place of a type: there is no such entity after all."""

FORMS: Final[dict[str, tuple[str, int]]] = {
    "entity_digest": ("<u8", 2),
    "entity_publication": ("<u1", 1),
    "entity_type": ("<u1", 1),
    "entity_country": ("<u2", 1),
    "entity_headquarters": ("<u2", 1),
    "entity_length": ("<u4", 1),
    "entity_text": ("<u1", 1),
    "tie_digest": ("<u8", 2),
    "tie_entity": ("<u4", 1),
    "tie_length": ("<u4", 1),
    "tie_text": ("<u1", 1),
    "identifier_digest": ("<u8", 2),
    "identifier_entity": ("<u4", 1),
    "name_digest": ("<u8", 2),
    "name_entity": ("<u4", 1),
    "party_digest": ("<u8", 2),
    "party_length": ("<u4", 1),
    "party_text": ("<u1", 1),
    "source_digest": ("<u8", 2),
    "source_length": ("<u4", 1),
    "source_text": ("<u1", 1),
    "stake_digest": ("<u8", 2),
    "stake_publication": ("<u1", 1),
    "stake_prefix": ("<u8", 3),
    "stake_holder": ("<u4", 1),
    "stake_held": ("<u4", 1),
    "stake_min": ("<u4", 1),
    "stake_max": ("<u4", 1),
    "stake_since": ("<u4", 1),
    "stake_until": ("<u4", 1),
    "stake_source": ("<u4", 1),
    "stake_length": ("<u4", 1),
    "stake_text": ("<u1", 1),
}
"""The columns of a batch: type, and how many numbers a row has.

`…_entity`, `stake_holder`, `stake_held` are row numbers of the batch's entities and parties; `stake_source` is one more
than a source's, 0 for none. A record of type `NO_ENTITY`, or a stake whose least share is over its greatest, takes back
what earlier records of it said. The digest of a tie is that of the id which it names, or of the identifier.
"""

_BYTES: Final = ("_text", "_digest", "_prefix")

Batch = dict[str, Array]


class Columns:
    """Collects a batch.

    Args:
        publication: What it is from, see `domain.ownership.identity`.
        several: Whether there are other publications as well, so that identifiers may tie records.
    """

    def __init__(self, publication: int = NATIVE, *, several: bool = False) -> None:
        self._publication = publication
        self._several = several
        # What is bytes is joined as it comes: the encoder's own are kept far larger than they are.
        self._of: dict[str, Any] = {name: bytearray() if name.endswith(_BYTES) else [] for name in FORMS}
        self._names, self._identifiers = (
            (self._of[f"{table}_digest"], self._of[f"{table}_entity"]) for table in ("name", "identifier")
        )
        self._parties: dict[str, int] = {}
        self._sources: dict[str, int] = {}
        self._ids: list[bytes] = []
        self._entities = 0
        self.stakes = 0

    def __len__(self) -> int:
        return self._entities + self.stakes

    def entity(self, entity: Entity) -> None:
        """Add the record of an entity.

        Raises:
            ValueError: A country of it is not a code of two letters.
        """
        for tie in ties_of(entity, self._publication) if self._several or entity.same_as else ():
            self._of["tie_entity"].append(self._entities)
            hashed = digest(tie[1].encode()) if tie[0] in {SAME, ID} else digest_of_key(tie)
            self._text("tie", hashed, orjson.dumps(tie))
        self._entity(entity)

    def company(self, entity: Entity) -> None:
        """Add an entity that several records are of."""
        self._entity(entity, entity.same_as, entity.identifiers.more)

    def no_entity(self, entity: str) -> None:
        """Take back what earlier records said of an entity."""
        self._of["entity_publication"].append(self._publication)
        self._of["entity_type"].append(NO_ENTITY)
        for name in ("country", "headquarters"):
            self._of[f"entity_{name}"].append(0)
        self._text("entity", digest(entity.encode()), b"")
        self._entities += 1

    def no_stake(self, stake: str) -> None:
        """Take back what an earlier record said of a stake."""
        self._of["stake_publication"].append(self._publication)
        self._ids.append(stake.encode())
        self._of["stake_min"].append(1)
        for name in ("holder", "held", "max", "since", "until", "source"):
            self._of[f"stake_{name}"].append(0)
        self.stakes += 1

    def _entity(self, entity: Entity, *more: object) -> None:
        of = self._of
        of["entity_publication"].append(self._publication)
        of["entity_country"].append(country_code(entity.country))
        of["entity_headquarters"].append(country_code(entity.headquarters))
        of["entity_digest"] += digest(entity.id.encode())
        of["entity_type"].append(_TYPE_CODES[entity.type])
        ids = entity.identifiers
        listings = [(part.topic, part.program, part.since, part.until) for part in entity.listings]
        row = (entity.id, entity.name, ids.lei, ids.registration_number, ids.domain, entity.aliases, listings)
        text = orjson.dumps((*row, *more))
        of["entity_text"] += text
        of["entity_length"].append(len(text))
        for key in entity_keys(entity):
            digests, entities = self._names if key[0] == NAME else self._identifiers
            digests += digest_of_key(key)
            entities.append(self._entities)
        self._entities += 1

    def stake(self, stake: Stake) -> None:
        """Add a stake.

        Raises:
            ValueError: A day of it is not one of the calendar.
        """
        of = self._of
        of["stake_since"].append(day_number(stake.since))
        of["stake_until"].append(day_number(stake.until))
        of["stake_publication"].append(self._publication)
        self._ids.append(stake.id.encode())
        of["stake_holder"].append(self._party(stake.holder))
        of["stake_held"].append(self._party(stake.held))
        of["stake_min"].append(stake.min)
        of["stake_max"].append(stake.max)
        of["stake_source"].append(0 if stake.source is None else self._source(stake.source))
        self.stakes += 1

    def batch(self) -> Batch:
        """Return the columns."""
        ids = stake_ids(self._ids)
        return {name: ids[name] if name in ids else _array(name, self._of[name]) for name in FORMS}

    def _party(self, party: str) -> int:
        number = self._parties.get(party)
        if number is None:
            number = self._parties[party] = len(self._parties)
            self._text("party", digest(party.encode()), orjson.dumps((party,)))
        return number

    def _source(self, source: str) -> int:
        number = self._sources.get(source)
        if number is None:
            number = self._sources[source] = len(self._sources) + 1
            text = source.encode()
            self._text("source", digest(text), text)
        return number

    def _text(self, of: str, hashed: bytes, text: bytes) -> None:
        self._of[f"{of}_digest"] += hashed
        self._of[f"{of}_text"] += text
        self._of[f"{of}_length"].append(len(text))


_TYPE_CODES: Final = {name: code for code, name in enumerate(TYPES)}


@lru_cache(1 << 16)
def day_number(day: str | None) -> int:
    """Turn an ISO day into its number (1 is the first of the year 1), None into 0.

    Raises:
        ValueError: Not a day.
    """
    return 0 if day is None else date.fromisoformat(day).toordinal()


def stake_ids(ids: list[bytes]) -> Batch:
    """Return the columns of the ids of stakes."""
    found: dict[str, Any] = {
        "stake_digest": b"".join(map(digest, ids)),
        "stake_prefix": b"".join(text[:PREFIX].ljust(PREFIX, b"\0") for text in ids),
        "stake_length": list(map(len, ids)),
        "stake_text": b"".join(ids),
    }
    return {name: _array(name, column) for name, column in found.items()}


def _array(name: str, items: Any) -> Array:
    dtype, width = FORMS[name]
    if name.endswith(_BYTES):
        # The first byte of a prefix is to weigh most, as it does in text.
        found: Array = np.frombuffer(items, ">u8" if name == "stake_prefix" else dtype)
        found = found.astype(dtype, copy=False)
        return found.reshape(-1, width) if width > 1 else found
    return np.array(items, dtype)
