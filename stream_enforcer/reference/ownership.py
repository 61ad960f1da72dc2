"""Ownership files of any known format, told apart by their content, as one graph with a report for each file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from stream_enforcer.domain.ownership.graph import OwnershipGraph
from stream_enforcer.domain.ownership.merging import Identity, each_once
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.keep_apart import digest_of, read_keep_apart, text_of
from stream_enforcer.reference.publications import PUBLICATION, READ_IN_ORDER, Publications
from stream_enforcer.reference.reading import Reading
from stream_enforcer.reference.report import Reason, SourceReport, skipped
from stream_enforcer.snapshot.file import is_snapshot
from stream_enforcer.snapshot.graph import Snapshot
from stream_enforcer.snapshot.layout import SourceFile

_CHUNK: Final = 1 << 20
_UNSPECIFIED: Final = "unspecified:"


@dataclass(frozen=True, slots=True)
class OwnershipFiles:
    """A graph, and what became of the statements of its files.

    Attributes:
        reports: One for each file, in the order given.
        dangling: Parties of stakes that no file describes. They are kept, and nothing is known of them.
        identity: What was found of companies that several records are of.
    """

    graph: OwnershipGraph
    reports: tuple[SourceReport, ...]
    dangling: int
    identity: Identity = Identity()

    @property
    def skipped(self) -> Mapping[str, int]:
        """Counts of what was not used, over all files, by reason."""
        return skipped(self.reports)


def load_ownership(
    paths: Sequence[Path], *, strict: bool = False, keep_apart: Path | None = None
) -> OwnershipGraph:
    """Read ownership files into one graph; a later file's record with the same id replaces an earlier one's.

    Records of one company are merged; see `domain.ownership.identity`. The hash is SHA-256 over the length (8 bytes,
    big-endian) and the bytes of each file, as packed, in order, and over what is kept apart, if anything is.

    Args:
        paths: Files of any format that `format_of` tells; plain, gzip, xz, or zip with one member. Or one snapshot,
            which has a hash of its own.
        strict: Refuse the first fault, instead of counting what is not used.
        keep_apart: A file of ids of records that are not to be merged, see `reference.keep_apart`.

    Raises:
        BadReference: A file can't be read, is of no known format, is damaged, or has a bad record: a native record
            is refused always, others when strict.
    """
    return read_ownership(paths, strict=strict, keep_apart=keep_apart).graph


def read_ownership(
    paths: Sequence[Path], *, strict: bool = False, keep_apart: Path | None = None
) -> OwnershipFiles:
    """Read ownership files as `load_ownership` does, and report what became of each statement.

    Raises:
        BadReference: As `load_ownership` says.
    """
    if any(_is_snapshot(path) for path in paths):
        return _snapshot(paths, strict=strict, keep_apart=keep_apart)
    apart = read_keep_apart(keep_apart)
    said = {publication: Reading() for publication in READ_IN_ORDER}
    total, publications, tallies = sha256(), Publications(said.__getitem__), []
    for path in paths:
        try:
            _hash(path, total.update)
            tallies.append(publications.take(path, strict=strict))
        except OSError as error:
            raise BadReference(str(path), f"can't be read: {error.strerror or error}") from None
    publications.end()
    total.update(text_of(apart))
    once = each_once(
        {one: (place, entity) for place, of in said.items() for one, entity in of.entities.items()},
        {one: (place, stake) for place, of in said.items() for one, stake in of.stakes.items()},
        apart,
        several=len({PUBLICATION[tally.format] for tally in tallies}) > 1,
    )
    graph = OwnershipGraph.build(
        once.entities,
        once.stakes,
        hash=total.hexdigest(),
        as_of=publications.as_of,
        merged={other: merge.entity for merge in once.merges for other in merge.others},
    )
    reports = tuple(tally.report() for tally in tallies)
    return OwnershipFiles(graph, reports, _dangling(graph), once.identity)


def _is_snapshot(path: Path) -> bool:
    try:
        return is_snapshot(path)
    except OSError as error:
        raise BadReference(str(path), f"can't be read: {error.strerror or error}") from None


def _snapshot(paths: Sequence[Path], *, strict: bool, keep_apart: Path | None) -> OwnershipFiles:
    """Open a snapshot; the reports are those of the files that it was built from."""
    path = paths[0]
    if len(paths) > 1:
        raise BadReference(str(path), "a snapshot stands alone: build one from all the files")
    snapshot = Snapshot(path)
    header = snapshot.file.header
    if keep_apart is not None and header.keep_apart != digest_of(read_keep_apart(keep_apart)):
        raise BadReference(
            str(path),
            f"was built with other ids to keep apart than {keep_apart}: build it again with that file",
        )
    reports = tuple(map(_report, header.sources))
    if strict and any(report.faults for report in reports):
        raise BadReference(str(path), "was built from files with faults; `ownership info` names them")
    return OwnershipFiles(snapshot.graph, reports, header.unresolved, header.identity.found())


def _report(source: SourceFile) -> SourceReport:
    reasons = tuple(Reason(one.kind, one.text, one.count, one.first) for one in source.reasons)
    return SourceReport(source.name, source.format, source.unit, source.read, source.used, reasons)


def _dangling(graph: OwnershipGraph) -> int:
    parties = {party for stake in graph.stakes() for party in (stake.holder, stake.held)}
    return sum(not party.startswith(_UNSPECIFIED) for party in parties - graph.entities.keys())


def _hash(path: Path, update: Callable[[bytes], object]) -> None:
    update(path.stat().st_size.to_bytes(8, "big"))
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            update(chunk)
