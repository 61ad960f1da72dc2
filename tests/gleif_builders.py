"""GLEIF records for tests, as columns, and the files that publish them."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from stream_enforcer.reference.ownership import OwnershipFiles, read_ownership

Columns = Mapping[str, str]

LEI_SPACE = "http://www.gleif.org/data/schema/leidata/2016"
RR_SPACE = "http://www.gleif.org/data/schema/rr/2016"
DIRECT, ULTIMATE = "IS_DIRECTLY_CONSOLIDATED_BY", "IS_ULTIMATELY_CONSOLIDATED_BY"
BRANCH = "IS_INTERNATIONAL_BRANCH_OF"


def lei(name: str) -> str:
    """Return an LEI that begins with a name."""
    return f"{name.upper():0<18}00"


def company(name: str, country: str = "GB", **more: str) -> Columns:
    """Return a level 1 record; `more` has columns with `_` for `.`, of Entity unless they are of Registration."""
    columns = {
        "LEI": lei(name),
        "Entity.LegalName": f"{name} Ltd",
        "Entity.LegalJurisdiction": country,
        "Entity.EntityStatus": "ACTIVE",
    }
    for key, value in more.items():
        column = key.replace("_", ".")
        columns[column if column.startswith("Registration.") else f"Entity.{column}"] = value
    return columns


def parent(
    held: str, holder: str, kind: str = DIRECT, since: str = "", until: str = "", **more: str
) -> Columns:
    """Return a level 2 record with one relationship period; `more` replaces `status` and `registration`."""
    return {
        "Relationship.StartNode.NodeID": lei(held),
        "Relationship.EndNode.NodeID": lei(holder),
        "Relationship.RelationshipType": kind,
        "Relationship.RelationshipStatus": more.get("status", "ACTIVE"),
        "Relationship.Period.1.startDate": "2024-01-01T00:00:00Z",
        "Relationship.Period.1.periodType": "ACCOUNTING_PERIOD",
        "Relationship.Period.2.startDate": since and f"{since}T00:00:00.000Z",
        "Relationship.Period.2.endDate": until and f"{until}T00:00:00+01:00",
        "Relationship.Period.2.periodType": "RELATIONSHIP_PERIOD",
        "Registration.RegistrationStatus": more.get("registration", "PUBLISHED"),
    }


def as_csv(records: Sequence[Columns]) -> bytes:
    header = list(dict.fromkeys(column for record in records for column in record))
    text = io.StringIO()
    rows = csv.DictWriter(text, header, restval="", quoting=csv.QUOTE_ALL)
    rows.writeheader()
    rows.writerows(records)
    return text.getvalue().encode()


def as_xml(records: Sequence[Columns], *, dated: str = "2026-05-01T08:00:00Z") -> bytes:
    """Return an XML file, of level 1 or 2 by what the records are, with one element a line."""
    level1 = not records or "LEI" in records[0]
    prefix, root, kind = (
        ("lei:", "LEIData", "LEIRecord") if level1 else ("rr:", "RelationshipData", "RelationshipRecord")
    )
    space = LEI_SPACE if level1 else RR_SPACE
    root, record_name = prefix + root, prefix + kind
    header = f"<{prefix}Header>\n<{prefix}ContentDate>{dated}</{prefix}ContentDate>\n</{prefix}Header>"
    body = "\n".join(
        f"<{record_name}>\n{_elements(_tree(record), prefix)}\n</{record_name}>" for record in records
    )
    start = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns:{prefix[:-1]}="{space}">'
    return f"{start}\n{header}\n<{record_name}s>\n{body}\n</{record_name}s>\n</{root}>\n".encode()


Tree = dict[str, "Tree | str"]


def _tree(record: Columns) -> Tree:
    tree: Tree = {}
    for column, value in record.items():
        if value:
            *path, last = _path(column)
            at = tree
            for name in path:
                inner = at.setdefault(name, {})
                assert isinstance(inner, dict)
                at = inner
            at[last] = value
    return tree


def _path(column: str) -> list[str]:
    """Return the elements of a column; `#` and what follows tells elements of one name apart."""
    parts = column.split(".")
    if parts[:2] == ["Relationship", "Period"]:
        inner = parts[3][0].upper() + parts[3][1:]
        return ["Relationship", "RelationshipPeriods", f"RelationshipPeriod#{parts[2]}", inner]
    if parts[-1].isdigit():
        return [*parts[:-2], f"{parts[-2]}#{parts[-1]}"]
    return parts


def _elements(tree: Tree, prefix: str) -> str:
    found = []
    for key, value in tree.items():
        name = prefix + key.partition("#")[0]
        inner = escape(value) if isinstance(value, str) else f"\n{_elements(value, prefix)}\n"
        found.append(f"<{name}>{inner}</{name}>")
    return "\n".join(found)


def read(
    folder: Path, *files: Sequence[Columns] | bytes, form: str = "xml", strict: bool = False
) -> OwnershipFiles:
    """Write records, or the bytes that are given, to files of their own and read them together."""
    paths = []
    for number, content in enumerate(files):
        path = folder / f"{number}.{form}"
        encode = as_xml if form == "xml" else as_csv
        path.write_bytes(content if isinstance(content, bytes) else encode(content))
        paths.append(path)
    return read_ownership(paths, strict=strict)
