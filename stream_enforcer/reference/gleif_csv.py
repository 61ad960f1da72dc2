"""GLEIF golden copy CSV, level 1 and 2, one row at a time."""

import csv
from collections.abc import Iterator, Mapping
from io import BufferedReader, TextIOWrapper
from typing import Final

from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.report import Tally

# Level 1 has over 300 columns, of which these beginnings are read.
_READ: Final = (
    "LEI",
    "Entity.LegalName",
    "Entity.OtherEntityNames.",
    "Entity.TransliteratedOtherEntityNames.",
    "Entity.LegalAddress.Country",
    "Entity.HeadquartersAddress.Country",
    "Entity.RegistrationAuthority.RegistrationAuthorityEntityID",
    "Entity.LegalJurisdiction",
    "Entity.EntityCategory",
    "Entity.EntityStatus",
    "Relationship.",
    "Registration.LastUpdateDate",
    "Registration.RegistrationStatus",
)
_UNREAD: Final = (".xmllang", ".type")


def gleif_rows(stream: BufferedReader, tally: Tally) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each row with the line on which it ends, by column; empty cells are left out.

    A row that has not as many cells as the header is a fault and passed over.

    Raises:
        BadReference: Not CSV in UTF-8, or the reading is strict and a row has a fault.
    """
    with TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, strict=True)
        try:
            header = next(rows)
            wanted = [
                (place, column)
                for place, column in enumerate(header)
                if column.startswith(_READ) and not column.endswith(_UNREAD)
            ]
            for row in rows:
                if len(row) != len(header):
                    if row:
                        tally.read += 1
                        tally.fault("row without a cell for each column", rows.line_num)
                    continue
                yield rows.line_num, {column: row[place] for place, column in wanted if row[place]}
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadReference(tally.path, f"is not CSV in UTF-8: {error}", line=rows.line_num) from None
