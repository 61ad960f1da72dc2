"""One small file of ownership data in each form that is read."""

import json
from typing import Any

from tests.bods_builders import entity, relationship, shareholding
from tests.gleif_builders import DIRECT, ULTIMATE, as_csv, as_xml, company, parent

NAME = "\u4e2d\u56fd & \u0627\u06cc\u0631\u0627\u0646 \U0001f3ed"
COMPANIES = [company(name, "CN") for name in "ABC"] + [{**company("D"), "Entity.LegalName": NAME}]
PARENTS = [
    parent("A", "B", ULTIMATE),
    parent("A", "C", DIRECT, "2019-01-01"),
    parent("C", "B", "IS_FEEDER_TO"),
]
STATEMENTS: list[dict[str, Any]] = [
    entity("a", name=NAME),
    relationship("a", "b", shareholding({"exact": 12.5})),
    {"recordId": "q", "recordType": "other"},
]
FTM = [
    {"id": "a", "schema": "Company", "properties": {"name": [NAME]}},
    {"id": "d", "schema": "Directorship", "properties": {}},
    {
        "id": "o",
        "schema": "Ownership",
        "properties": {
            "owner": ["a"],
            "asset": ["b"],
            "percentage": ["33 - 50.5 %"],
            "startDate": ["2020-01"],
        },
    },
]
NATIVE: list[dict[str, Any]] = [{"kind": "entity", "id": "a", "name": NAME, "type": "company"}]


def lines(records: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


SOURCES: dict[str, bytes] = {
    "bods lines": lines(STATEMENTS),
    "bods array": json.dumps(STATEMENTS, ensure_ascii=False, indent=1).encode(),
    "ftm": lines(FTM),
    "native lines": lines(NATIVE),
    "native rows": f"id,name,type\na,{NAME},company\n".encode(),
    "gleif 1 xml": as_xml(COMPANIES),
    "gleif 2 xml": as_xml(PARENTS),
    "gleif 1 csv": as_csv(COMPANIES),
    "gleif 2 csv": as_csv(PARENTS),
}
"""File contents by form: format, GLEIF level, and how it is written."""
