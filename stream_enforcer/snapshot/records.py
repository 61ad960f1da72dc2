"""What stands in a snapshot file, as the domain's entities and stakes, made when they are asked for."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final, get_args

import orjson

from stream_enforcer.domain.ownership.graph import Entity, EntityType, Identifiers, Listing, Stake
from stream_enforcer.domain.ownership.merging import Merge
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.snapshot.digest import country_name, key_of
from stream_enforcer.snapshot.file import SnapshotFile

TYPES: Final[tuple[EntityType, ...]] = get_args(EntityType)
LONGEST_TEXT: Final = 64 << 20
MOST_MEETING: Final = 64
"""As many texts as may share 64 bits of a hash; two hardly ever do."""
_KEPT: Final = 1 << 14
_NO_MORE: Final = ((), ())
_NO_IDENTIFIERS: Final = Identifiers()
_DAMAGE: Final = (ValueError, TypeError, LookupError, OverflowError)


class Records:
    """The entities, parties and stakes of a file, by number.

    A party is whoever takes part in a stake or has a record; the first `entities` of them have one.
    """

    def __init__(self, file: SnapshotFile) -> None:
        self.file = file
        self.entities = file.header.counts.entities
        self.parties = file.header.counts.parties
        section = file.section
        self._type, self._country = section("entity_type"), section("entity_country")
        self._headquarters = section("entity_headquarters")
        self._text, self._text_start = section("party_text"), section("party_text_start")
        self._parties_by_hash = section("party_hash"), section("party_of_hash")
        self._stakes_by_hash = section("stake_hash"), section("stake_of_hash")
        self._holder, self._held = section("stake_holder"), section("stake_held")
        self._min, self._max = section("stake_min"), section("stake_max")
        self._since, self._until = section("stake_since"), section("stake_until")
        self._source = section("stake_source")
        self._stake_text, self._stake_text_start = section("stake_text"), section("stake_text_start")
        self._source_text, self._source_start = section("source_text"), section("source_text_start")
        self._merge_text, self._merge_start = section("merge_text"), section("merge_text_start")
        self.held_start, self.holder_start = section("held_start"), section("holder_start")
        self._of_holder = section("holder_stake")
        self.party_id = lru_cache(_KEPT)(self._party_id)
        self.entity = lru_cache(_KEPT)(self._entity)
        self._source_name = lru_cache(256)(self._text_of_source)

    def number(self, party: str) -> int | None:
        """Return the number of a party, or None.

        Raises:
            BadReference: The file is damaged.
        """
        for number in _meant(*self._parties_by_hash, party):
            if self.party_id(number) == party:
                return number
        return None

    def find(self, party: str) -> Entity | None:
        """Return the entity with an id, or None.

        Raises:
            BadReference: The file is damaged.
        """
        for number in _meant(*self._parties_by_hash, party):
            if number < self.entities:
                entity = self.entity(number)
                if entity.id == party:
                    return entity
        return None

    def stake(self, stake_id: str) -> Stake | None:
        """Return the stake with an id, or None.

        Raises:
            BadReference: The file is damaged.
        """
        for place in _meant(*self._stakes_by_hash, stake_id):
            try:
                stake = self._stake(place)
            except _DAMAGE:
                raise self._damaged("stake", place) from None
            if stake.id == stake_id:
                return stake
        return None

    def stakes_in(self, held: int) -> tuple[Stake, ...]:
        """Return the stakes in a party, by stake id.

        Raises:
            BadReference: The file is damaged.
        """
        first, last = self.held_start[held], self.held_start[held + 1]
        return tuple(self._checked(place, self._held, held) for place in range(first, last))

    def stakes_of(self, holder: int) -> tuple[Stake, ...]:
        """Return the stakes that a party has, by stake id.

        Raises:
            BadReference: The file is damaged.
        """
        first, last = self.holder_start[holder], self.holder_start[holder + 1]
        try:
            return tuple(
                self._checked(self._of_holder[place], self._holder, holder) for place in range(first, last)
            )
        except IndexError:
            raise self._damaged("stakes of", holder) from None

    def entity_at(self, number: int) -> Entity:
        """Return the entity of a number that an index gives.

        Raises:
            BadReference: There is none: the file is damaged.
        """
        if number >= self.entities:
            raise self.file.damaged(f"there is no entity number {number}")
        return self.entity(number)

    def merge(self, number: int) -> Merge:
        """Return one of the companies that several records are of.

        Raises:
            BadReference: The file is damaged.
        """
        try:
            found = orjson.loads(_piece(self._merge_text, self._merge_start, number))
            others, ties, conflicts = (
                tuple(map(_required, found[name])) for name in ("others", "ties", "conflicts")
            )
            return Merge(_required(found["entity"]), others, ties, conflicts)
        except _DAMAGE:
            raise self._damaged("merge", number) from None

    def entity_numbers(self) -> Iterator[int]:
        """Return the numbers of all entities."""
        return iter(range(self.entities))

    def _party_id(self, number: int) -> str:
        try:
            return _required(self._row(number)[0])
        except _DAMAGE:
            raise self._damaged("party", number) from None

    def _entity(self, number: int) -> Entity:
        try:
            row = self._row(number)
            return entity_of(row, self._type[number], self._country[number], self._headquarters[number])
        except _DAMAGE:
            raise self._damaged("entity", number) from None

    def _row(self, number: int) -> Any:
        return orjson.loads(_piece(self._text, self._text_start, number))

    def _checked(self, place: int, column: "memoryview[int]", party: int) -> Stake:
        """Make a stake, which must be one of the party's: so a damaged index ends at the first wrong one."""
        try:
            if column[place] != party:
                raise self._damaged("stakes of", party)
            return self._stake(place)
        except BadReference:
            raise
        except _DAMAGE:
            raise self._damaged("stake", place) from None

    def _stake(self, place: int) -> Stake:
        source = self._source[place]
        return Stake(
            id=self.stake_id(place),
            holder=self.party_id(self._holder[place]),
            held=self.party_id(self._held[place]),
            min=self._min[place],
            max=self._max[place],
            since=day_text(self._since[place]),
            until=day_text(self._until[place]),
            source=self._source_name(source - 1) if source else None,
        )

    def stake_id(self, place: int) -> str:
        """Return the id of the stake at a place."""
        return str(_piece(self._stake_text, self._stake_text_start, place), "utf-8")

    def _text_of_source(self, number: int) -> str:
        return str(_piece(self._source_text, self._source_start, number), "utf-8")

    def _damaged(self, what: str, number: int) -> BadReference:
        return self.file.damaged(f"{what} number {number} can't be read")


def _meant(hashes: "memoryview[int]", numbers: "memoryview[int]", text: str) -> Sequence[int]:
    """Return the numbers that stand under the hash of a text: nearly always one."""
    key, count = key_of(text), len(hashes)
    first = bisect_left(hashes, key)
    if first == count or hashes[first] != key:
        return ()
    if first + 1 == count or hashes[first + 1] != key:
        return (numbers[first],)
    last = min(first + MOST_MEETING, count)
    return [numbers[place] for place in range(first, last) if hashes[place] == key]


def entity_of(row: Any, kind: int, country: int, headquarters: int) -> Entity:
    """Make an entity of its text, read as JSON, and its numbers.

    Raises:
        ValueError, TypeError, LookupError: These make no sense.
    """
    party, name, lei, registration, domain, aliases, listings, *more = row
    same_as, keys = more or _NO_MORE
    # Given by position, and nothing made of nothing: this is half of what a lookup takes.
    return Entity(
        _required(party),
        _required(name),
        TYPES[kind],
        country_name(country),
        country_name(headquarters),
        tuple(map(_required, aliases)) if aliases else (),
        _NO_IDENTIFIERS
        if lei is registration is domain is None and not keys
        else Identifiers(
            _optional(lei),
            _optional(registration),
            _optional(domain),
            tuple(tuple(map(_required, key)) for key in keys) if keys else (),
        ),
        tuple(_listing(*listing) for listing in listings) if listings else (),
        tuple(map(_required, same_as)) if same_as else (),
    )


def _piece(text: "memoryview[int]", start: "memoryview[int]", number: int) -> "memoryview[int]":
    first, last = start[number], start[number + 1]
    if not first <= last <= len(text) or last - first > LONGEST_TEXT:
        raise ValueError("no such piece of text")
    return text[first:last]


@lru_cache(1 << 12)
def day_text(day: int) -> str | None:
    """Turn a day's number (1 is the first of the year 1; 0 stands for none) into ISO text.

    Raises:
        ValueError: There is no such day.
    """
    return date.fromordinal(day).isoformat() if day else None


def _required(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError("not a text")
    return text


def _optional(text: object) -> str | None:
    return None if text is None else _required(text)


def _listing(topic: object, program: object, since: object, until: object) -> Listing:
    return Listing(_required(topic), _optional(program), _optional(since), _optional(until))
