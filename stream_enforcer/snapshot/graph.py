"""An ownership graph that answers from a snapshot file: nothing is loaded, entities and stakes are made on demand."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence, ValuesView
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from stream_enforcer.domain.ownership.graph import Entity, Key, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.merging import Merge
from stream_enforcer.domain.ownership.names import NAME
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import has_key
from stream_enforcer.domain.ownership.semantics import Verdict
from stream_enforcer.snapshot.digest import digest_of_key, key_of
from stream_enforcer.snapshot.file import SnapshotFile
from stream_enforcer.snapshot.records import MOST_MEETING, Records

VERDICTS: Final[tuple[Verdict, ...]] = ("refuted", "possible", "proved")
"""By the two bits that stand for each."""
NOT_WORKED_OUT: Final = 3
"""The two bits of what would have taken too long."""

_KEPT_GROUPS: Final = 1 << 13
_KEPT_HOLDERS: Final = 16
_Value = TypeVar("_Value")


class Verdicts(NamedTuple):
    """The verdicts of the three readings."""

    control: Verdict
    effective: Verdict
    single_owner: Verdict


class Snapshot:
    """An open snapshot.

    Attributes:
        file: The file.
        graph: What the readings, proofs and the resolver work on; as from the same data in memory.
    """

    def __init__(self, path: Path) -> None:
        """Open a snapshot file.

        Raises:
            BadReference: It can't be used; see `SnapshotFile`.
        """
        self.file = SnapshotFile(path)
        self.records = Records(self.file)
        self._verdict = self.file.section("entity_verdict")
        header = self.file.header
        self.graph = OwnershipGraph(
            hash=header.hash,
            as_of=header.as_of,
            entities=_Entities(self.records),
            _by_held=_Stakes(self.records, self.records.stakes_in, self.records.held_start, _KEPT_GROUPS),
            _by_holder=_Stakes(
                self.records, self.records.stakes_of, self.records.holder_start, _KEPT_HOLDERS
            ),
            _by_id=_StakesById(self.records),
            index=_Index(self.records),
            merged=_Merged(self.records),
        )

    def verdicts(self, entity: str, on: str, question: Question) -> Verdicts | None:
        """Return the verdicts that were worked out when the file was built.

        Returns:
            None where they were not worked out for this question, or one of them not at all, or where other stakes
            hold on this day.
        """
        number = self.records.number(entity)
        if number is None or number >= self.records.entities or not self.answers(on, question):
            return None
        return self.verdicts_of(number)

    def verdicts_of(self, number: int) -> Verdicts | None:
        """Return the verdicts of an entity by its number, for the question and day in the header.

        Returns:
            None where one was not worked out.
        """
        found = [self._verdict[number] >> shift & 3 for shift in (0, 2, 4)]
        return None if NOT_WORKED_OUT in found else Verdicts(*(VERDICTS[code] for code in found))

    def merges(self) -> Iterator[Merge]:
        """Yield the companies that several records are of.

        Raises:
            BadReference: The file is damaged.
        """
        for number in range(self.file.header.counts.merges):
            yield self.records.merge(number)

    def answers(self, on: str, question: Question) -> bool:
        """Tell whether the verdicts in the file are for this question and hold on this day."""
        asked = self.file.header.asked
        return (
            asked is not None
            and question == asked.question()
            and (asked.since is None or asked.since <= on)
            and (asked.until is None or on < asked.until)
        )


class _Entities(Mapping[str, Entity]):
    """Entity by id."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._found = lru_cache(_KEPT_GROUPS)(records.find)

    def __getitem__(self, key: str) -> Entity:
        found = self._found(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: str, default: _Value = None) -> Entity | _Value:  # type: ignore[assignment]  # as dict.get
        found = self._found(key)
        return default if found is None else found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._found(key) is not None

    def __iter__(self) -> Iterator[str]:
        return map(self._records.party_id, self._records.entity_numbers())

    def __len__(self) -> int:
        return self._records.entities


class _Stakes(Mapping[str, tuple[Stake, ...]]):
    """Stakes by id of the held company, or of the holder."""

    def __init__(
        self,
        records: Records,
        stakes: Callable[[int], tuple[Stake, ...]],
        start: "memoryview[int]",
        kept: int,
    ) -> None:
        self._records = records
        self._stakes = stakes
        self._start = start
        self._found = lru_cache(kept)(self._find)

    def __getitem__(self, key: str) -> tuple[Stake, ...]:
        found = self._found(key)
        if not found:
            raise KeyError(key)
        return found

    def get(self, key: str, default: _Value = None) -> tuple[Stake, ...] | _Value:  # type: ignore[assignment]  # as dict.get
        return self._found(key) or default

    def __iter__(self) -> Iterator[str]:
        for number in range(self._records.parties):
            if self._start[number] != self._start[number + 1]:
                yield self._records.party_id(number)

    def __len__(self) -> int:
        return sum(first != last for first, last in zip(self._start, self._start[1:], strict=False))

    def values(self) -> ValuesView[tuple[Stake, ...]]:
        return _Groups(self)

    def groups(self) -> Iterator[tuple[Stake, ...]]:
        """Yield the stakes of each party, by number: a party that damage hides from the index has stakes as well."""
        for number in range(self._records.parties):
            if self._start[number] != self._start[number + 1]:
                yield self._stakes(number)

    def _find(self, key: str) -> tuple[Stake, ...]:
        number = self._records.number(key)
        return () if number is None else self._stakes(number)


class _Groups(ValuesView[tuple[Stake, ...]]):
    """The stakes of all parties."""

    def __init__(self, stakes: _Stakes) -> None:
        super().__init__(stakes)
        self._of = stakes

    def __iter__(self) -> Iterator[tuple[Stake, ...]]:
        return self._of.groups()


class _StakesById(Mapping[str, Stake]):
    """Stakes by id."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def __getitem__(self, key: str) -> Stake:
        found = self._records.stake(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return map(self._records.stake_id, range(len(self)))

    def __len__(self) -> int:
        return self._records.file.header.counts.stakes


class _Merged(Mapping[str, str]):
    """The id that a company keeps, by each other id that it has."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._hash, self._entity = (records.file.section(f"member_{name}") for name in ("hash", "entity"))

    def __getitem__(self, key: str) -> str:
        for number in _numbers(self._hash, self._entity, key_of(key)):
            entity = self._records.entity_at(number)
            if key in entity.same_as:
                return entity.id
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        for number in sorted(set(self._entity)):
            yield from self._records.entity_at(number).same_as

    def __len__(self) -> int:
        return len(self._hash)


class _Index:
    """Organisations by identifier and by name, from the sorted hashes of both."""

    def __init__(self, records: Records) -> None:
        self._records = records
        section = records.file.section
        self._identifiers = section("identifier_hash"), section("identifier_entity")
        self._names = section("name_hash"), section("name_entity")

    def candidates(self, key: Key, limit: int) -> Sequence[Entity]:
        hashes, numbers = self._names if key[0] == NAME else self._identifiers
        wanted = int.from_bytes(digest_of_key(key)[:8], "little")
        found: list[Entity] = []
        for number in islice(_numbers(hashes, numbers, wanted), limit + MOST_MEETING):
            entity = self._records.entity_at(number)
            if has_key(entity, key):
                found.append(entity)
                if len(found) == limit:
                    break
        return found


def _numbers(hashes: "memoryview[int]", numbers: "memoryview[int]", key: int) -> Iterator[int]:
    place = bisect_left(hashes, key)
    while place < len(hashes) and hashes[place] == key:
        yield numbers[place]
        place += 1
