"""One small world told by several publications, as the files of each."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests import bods_builders as bods
from tests import gleif_builders as gleif

LEIS = tuple(gleif.lei(name) for name in ("P", "Q", "R"))
NUMBERS = ("7", "8")
DAYS = ("2024-01-01", "2025-01-01", "2026-01-01", "2027-01-01")
NATIVE_IDS = ("n1", "n2", "n3", LEIS[2])
BODS_IDS = ("b1", "b2", "GB-COH-7")
FTM_IDS = ("f1", "f2", "n3")
ALL_IDS = (*NATIVE_IDS, *BODS_IDS, *FTM_IDS, *LEIS[:2], "nobody")

_sometimes = st.sampled_from([True, False, False])


class Files:
    """Writes the files of publications and remembers their paths."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.paths: list[Path] = []

    def lines(self, name: str, records: list[dict[str, Any]]) -> None:
        """Write JSON Lines, unless there is nothing to write."""
        if records:
            self.bytes(name, "".join(json.dumps(record) + "\n" for record in records).encode())

    def bytes(self, name: str, content: bytes) -> None:
        """Write a file."""
        path = self._folder / name
        path.write_bytes(content)
        self.paths.append(path)


@st.composite
def publications(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Draw what each publication says; any of them may say nothing."""
    return {
        "native": draw(st.lists(_native_entity() | _native_stake(), max_size=7)),
        "bods": draw(st.lists(_bods_entity() | _bods_stake(), max_size=5)),
        "ftm": draw(st.lists(_ftm_entity() | _ftm_stake(), max_size=5)),
        "lei": draw(st.lists(_lei_record(), max_size=4)),
        "parents": draw(st.lists(_parent(), max_size=3)),
    }


def written(folder: Path, said: dict[str, list[Any]]) -> list[Path]:
    """Write what publications say."""
    files = Files(folder)
    for name in ("native", "bods", "ftm"):
        files.lines(f"{name}.jsonl", said.get(name, []))
    for name in ("lei", "parents"):
        if said.get(name):
            files.bytes(f"{name}.csv", gleif.as_csv(said[name]))
    return files.paths


def native_entity(id_: str, **more: Any) -> dict[str, Any]:
    """Return a native record of a company."""
    return {"kind": "entity", "id": id_, "name": f"{id_} Ltd", "type": "company", **more}


def native_stake(holder: str, held: str, share: float, **more: Any) -> dict[str, Any]:
    """Return a native record of a stake."""
    return {
        "kind": "stake",
        "id": f"{holder}>{held}",
        "holder": holder,
        "held": held,
        "share": share,
        **more,
    }


def _maybe(*values: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values)


@st.composite
def _native_entity(draw: st.DrawFn) -> dict[str, Any]:
    return native_entity(
        draw(st.sampled_from(NATIVE_IDS)),
        type=draw(st.sampled_from(["company", "company", "company", "person", "unknown", "state"])),
        country=draw(_maybe("GB", "CN")),
        headquarters=draw(_maybe("CN", "HK")),
        aliases=draw(st.lists(st.sampled_from(["Alias", "b1 Ltd"]), max_size=1)),
        identifiers={
            "lei": draw(_maybe(*LEIS)),
            "registration_number": draw(_maybe(*NUMBERS)),
            "domain": draw(_maybe("a.example")),
        },
        listings=[{"topic": "military"}] if draw(_sometimes) else [],
        same_as=draw(st.lists(st.sampled_from(ALL_IDS), max_size=2)),
    )


@st.composite
def _native_stake(draw: st.DrawFn) -> dict[str, Any]:
    since, until = _days(draw)
    least, greatest = sorted(draw(st.sampled_from([0, 25, 50, 50.5, 60, 100])) for _ in range(2))
    band = {"share": least} if draw(st.booleans()) else {"share_min": least, "share_max": greatest}
    return {
        "kind": "stake",
        "id": draw(st.sampled_from(["s1", "s2", "s3", "s1@2026-01-01"])),
        "holder": draw(st.sampled_from(ALL_IDS)),
        "held": draw(st.sampled_from(ALL_IDS)),
        "since": since,
        "until": until,
        **band,
    }


def _days(draw: st.DrawFn) -> tuple[str | None, str | None]:
    since, until = draw(_maybe(*DAYS)), draw(_maybe(*DAYS))
    return (until, since) if since and until and until < since else (since, until)


@st.composite
def _bods_entity(draw: st.DrawFn) -> dict[str, Any]:
    identifiers = draw(
        st.lists(
            st.sampled_from(
                [
                    {"scheme": "XI-LEI", "id": LEIS[0]},
                    {"scheme": "XI-LEI", "id": LEIS[2]},
                    {"scheme": "GB-COH", "id": "7"},
                    {"scheme": "GB-COH", "id": "8"},
                    {"id": "7", "uri": "https://register.example/7"},
                ]
            ),
            max_size=2,
        )
    )
    return {
        **bods.entity(
            draw(st.sampled_from(BODS_IDS)),
            identifiers=identifiers,
            jurisdiction={"code": draw(st.sampled_from(["GB", "CN"]))},
        ),
        **_said(draw),
    }


def _said(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what a statement says of others: it may be older than one before it, and replace records."""
    replaced = st.lists(st.sampled_from([*BODS_IDS, "r"]), max_size=1)
    return {
        "statementDate": draw(st.sampled_from(DAYS)),
        "replacesStatements": draw(replaced) if draw(_sometimes) else [],
        "recordStatus": draw(st.sampled_from(["new", "closed"])),
    }


@st.composite
def _bods_stake(draw: st.DrawFn) -> dict[str, Any]:
    since, until = _days(draw)
    share = draw(st.sampled_from([{"exact": 50}, {"minimum": 25, "maximum": 75}, {"exact": 100}, None]))
    level = draw(st.sampled_from(["direct", "indirect"]))
    interest = bods.shareholding(share, startDate=since, endDate=until, directOrIndirect=level)
    more = [bods.shareholding({"exact": 1})] if draw(_sometimes) else []
    party = st.sampled_from(ALL_IDS)
    found = bods.relationship(draw(party), draw(party), interest, *more, **_said(draw))
    return {**found, "recordId": draw(st.sampled_from([found["recordId"], "r", "r2", "b1"]))}


@st.composite
def _ftm_entity(draw: st.DrawFn) -> dict[str, Any]:
    properties = {
        "name": ["F"],
        "leiCode": draw(st.lists(st.sampled_from(LEIS), max_size=1)),
        "registrationNumber": draw(st.lists(st.sampled_from(NUMBERS), max_size=1)),
        "jurisdiction": draw(st.lists(st.sampled_from(["gb", "cn"]), max_size=1)),
    }
    schema = draw(st.sampled_from(["Company", "Company", "Person", "LegalEntity"]))
    referents = draw(st.lists(st.sampled_from(ALL_IDS), max_size=1))
    return {
        "id": draw(st.sampled_from(FTM_IDS)),
        "schema": schema,
        "properties": properties,
        "referents": referents,
    }


@st.composite
def _ftm_stake(draw: st.DrawFn) -> dict[str, Any]:
    since, until = _days(draw)
    properties = {
        "owner": [draw(st.sampled_from(ALL_IDS))],
        "asset": [draw(st.sampled_from(ALL_IDS))],
        "percentage": draw(st.sampled_from([[], ["60"], ["25-75"], ["100"]])),
        "startDate": [since] if since else [],
        "endDate": [until] if until else [],
    }
    return {"id": draw(st.sampled_from(["o1", "o2"])), "schema": "Ownership", "properties": properties}


@st.composite
def _lei_record(draw: st.DrawFn) -> gleif.Columns:
    return gleif.company(
        draw(st.sampled_from("PQR")),
        draw(st.sampled_from(["GB", "CN"])),
        RegistrationAuthority_RegistrationAuthorityEntityID=draw(st.sampled_from(["", *NUMBERS])),
        HeadquartersAddress_Country=draw(st.sampled_from(["", "HK"])),
        Registration_RegistrationStatus=draw(st.sampled_from(["ISSUED", "ISSUED", "ANNULLED"])),
    )


@st.composite
def _parent(draw: st.DrawFn) -> gleif.Columns:
    since, until = _days(draw)
    party = st.sampled_from("PQR")
    kind = draw(st.sampled_from([gleif.DIRECT, gleif.ULTIMATE, gleif.BRANCH]))
    registration = draw(st.sampled_from(["PUBLISHED", "PUBLISHED", "ANNULLED"]))
    return gleif.parent(draw(party), draw(party), kind, since or "", until or "", registration=registration)
