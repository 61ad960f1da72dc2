import json
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.domain.ownership.graph import FULL, Entity, Identifiers, Listing, Stake
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.ownership import OwnershipFiles, read_ownership


def party(id_: str, schema: str = "Company", /, **properties: Any) -> dict[str, Any]:
    return {"id": id_, "schema": schema, "properties": properties}


def owns(owner: str, asset: str, /, *shares: object, **properties: Any) -> dict[str, Any]:
    given = {"owner": [owner], "asset": [asset], **properties}
    if shares:
        given["percentage"] = list(shares)
    return {"id": f"{owner}-{asset}", "schema": "Ownership", "properties": given}


def read(folder: Path, *objects: object, strict: bool = False) -> OwnershipFiles:
    path = folder / "ftm.json"
    path.write_text("\n".join(map(json.dumps, objects)), encoding="utf-8")
    return read_ownership([path], strict=strict)


def only(folder: Path, record: dict[str, Any]) -> Entity:
    (entity,) = read(folder, record).graph.entities.values()
    return entity


def stake(folder: Path, record: dict[str, Any]) -> Stake:
    (found,) = read(folder, record).graph.stakes_in("t")
    return found


def test_a_company_with_all_that_is_read(tmp_path: Path) -> None:
    record = party(
        "c",
        name=["GAMMA Ltd", "Gamma"],
        alias=["G"],
        weakAlias=["Gam"],
        jurisdiction=["us-de"],
        mainCountry=["cn"],
        country=["cn", "us"],
        leiCode=["L"],
        registrationNumber=["7"],
        ogrnCode=["9"],
        topics=["sanction", "mil", "sanction.linked", "role.pep", "corp.public"],
    )
    assert only(tmp_path, {**record, "caption": "Gamma"}) == Entity(
        "c",
        "Gamma",
        "company",
        country="US",
        headquarters="CN",
        aliases=("GAMMA Ltd", "G", "Gam"),
        identifiers=Identifiers("L", "7"),
        listings=(Listing("military"), Listing("sanction"), Listing("sanction.linked")),
    )


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ("Company", "company"),
        ("Organization", "company"),
        ("PublicBody", "state"),
        ("LegalEntity", "unknown"),
        ("Person", "person"),
    ],
)
def test_schemata_are_types(tmp_path: Path, schema: str, kind: str) -> None:
    assert only(tmp_path, party("a", schema)).type == kind


def test_a_person_has_names_and_listings_and_no_country(tmp_path: Path) -> None:
    given = {"name": ["P"], "alias": ["Q"], "country": ["cn"], "mainCountry": ["cn"], "topics": ["sanction"]}
    person = only(tmp_path, party("p", "Person", **given))
    assert (person.country, person.headquarters, person.aliases) == (None, None, ("Q",))
    assert person.listings == (Listing("sanction"),)


@pytest.mark.parametrize(
    ("properties", "country", "headquarters"),
    [
        ({"jurisdiction": ["vg"]}, "VG", None),
        ({"mainCountry": ["ru"]}, "RU", "RU"),
        ({"country": ["gb-sct"]}, "GB", None),
        ({"country": ["us", "us-de"]}, "US", None),
        ({"country": ["cn", "us"]}, None, None),
        ({"country": ["suhh"]}, None, None),
        ({"country": "ir"}, "IR", None),
    ],
)
def test_countries(
    tmp_path: Path, properties: dict[str, Any], country: str | None, headquarters: str | None
) -> None:
    entity = only(tmp_path, party("a", **properties))
    assert (entity.country, entity.headquarters) == (country, headquarters)


@pytest.mark.parametrize(
    ("properties", "number"),
    [
        ({"ogrnCode": ["1"], "innCode": ["2"]}, "1"),
        ({"innCode": ["2"]}, "2"),
        ({"registrationNumber": [" 3 "], "innCode": ["2"]}, "3"),
        ({"registrationNumber": [""]}, None),
    ],
)
def test_the_register_that_the_country_keeps_comes_first(
    tmp_path: Path, properties: dict[str, Any], number: str | None
) -> None:
    assert only(tmp_path, party("a", **properties)).identifiers.registration_number == number


@pytest.mark.parametrize(
    ("shares", "band"),
    [
        (["60"], (60_000_000, 60_000_000)),
        (["49.95%"], (49_950_000, 49_950_000)),
        (["49,95 %"], (49_950_000, 49_950_000)),
        (["100.00"], (FULL, FULL)),
        (["1"], (1_000_000, 1_000_000)),
        (["0"], (0, 0)),
        (["0.9"], (900_000, 90_000_000)),
        (["0,5"], (500_000, 50_000_000)),
        (["0.9%"], (900_000, 900_000)),
        (["33-50"], (33_000_000, 50_000_000)),
        (["25 % \u2013 50 %"], (25_000_000, 50_000_000)),
        (["50 to 67"], (50_000_000, 67_000_000)),
        ([">50"], (50_000_001, FULL)),
        ([">= 75 %"], (75_000_000, FULL)),
        (["<25"], (0, 24_999_999)),
        (["\u2264 25"], (0, 25_000_000)),
        ([">100"], (FULL, FULL)),
        (["<0"], (0, 0)),
        (["40", "45"], (40_000_000, 45_000_000)),
        ([], (0, FULL)),
        ([" "], (0, FULL)),
    ],
)
def test_a_share_is_free_text(tmp_path: Path, shares: list[str], band: tuple[int, int]) -> None:
    found = stake(tmp_path, owns("a", "t", *shares))
    assert (found.min, found.max) == band


def test_a_possible_fraction_is_remarked_on_and_proves_nothing(tmp_path: Path) -> None:
    files = read(tmp_path, owns("a", "t", "60"), owns("b", "t", "0.9"))
    (reason,) = files.reports[0].reasons
    assert (reason.kind, reason.count, reason.first) == ("remark", 1, 2)
    assert files.skipped == {}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (owns("a", "t", "101"), "share that is not within 0 to 100 per cent"),
        (owns("a", "t", "-5"), "share that is not within 0 to 100 per cent"),
        (owns("a", "t", "most"), "share that is not a number"),
        (owns("a", "t", "1" * 400), "share that is not a number"),
        (owns("a", "t", "60-50"), "share with a minimum over its maximum"),
        (owns("a", "t", startDate=["soon"]), "date that can't be read"),
        (
            owns("a", "t", startDate=["2021-01-01"], endDate=["2020"]),
            "ownership that ends before it begins",
        ),
        (owns("a", "t", owner=[]), "ownership without one owner and one asset"),
        (owns("a", "t", asset=["t", "u"]), "ownership without one owner and one asset"),
        ({"id": "x", "schema": "Ownership", "properties": 7}, "ownership without one owner and one asset"),
        ({"schema": "Company", "properties": {}}, "object without an id or a schema"),
        ({"id": 5, "schema": "Company"}, "object without an id or a schema"),
        (party("a", country=["atlantis"]), "country that is not known"),
    ],
)
def test_faults_are_counted_and_refused_when_strict(
    tmp_path: Path, record: dict[str, Any], reason: str
) -> None:
    files = read(tmp_path, party("t"), record)
    assert files.skipped == {reason: 1}
    assert files.reports[0].faults == 1
    assert not files.graph.stakes_in("t")
    with pytest.raises(BadReference, match=rf"ftm\.json:2: {reason}"):
        read(tmp_path, party("t"), record, strict=True)


def test_a_later_object_replaces_an_earlier_one_even_when_it_has_a_fault(tmp_path: Path) -> None:
    old, new = owns("a", "t", "60"), owns("a", "t", "40")
    assert [found.min for found in read(tmp_path, old, new).graph.stakes_in("t")] == [40_000_000]
    assert not read(tmp_path, old, owns("a", "t", "most")).graph.stakes_in("t")


def test_what_is_not_ownership_is_passed_over_even_when_strict(tmp_path: Path) -> None:
    directorship = {
        "id": "d",
        "schema": "Directorship",
        "properties": {"director": ["p"], "organization": ["t"]},
    }
    files = read(tmp_path, party("t"), directorship, strict=True)
    assert files.skipped == {"object that is neither a party nor an ownership": 1}
    report = files.reports[0]
    assert (report.format, report.read, report.used, report.faults) == ("FollowTheMoney", 2, 1, 0)


def test_days_are_the_widest_that_are_given(tmp_path: Path) -> None:
    found = stake(tmp_path, owns("a", "t", startDate=["2019-05", "2018"], endDate=["2021-02-03T00:00:00"]))
    assert (found.since, found.until) == ("2018-01-01", "2021-02-03")


def test_nested_parties_are_known_by_their_ids(tmp_path: Path) -> None:
    found = stake(tmp_path, owns("a", "t", owner=[{"id": "n", "schema": "Company", "properties": {}}]))
    assert found.holder == "n"


def test_the_source_is_the_publishers_or_the_object(tmp_path: Path) -> None:
    assert stake(tmp_path, owns("a", "t")).source == "ftm:a-t"
    assert stake(tmp_path, owns("a", "t", sourceUrl=["https://r.example"])).source == "https://r.example"


def test_the_last_sighting_dates_the_graph(tmp_path: Path) -> None:
    seen = [{**party(name), "last_seen": f"2026-0{name}-02T03:04:05"} for name in "132"]
    assert read(tmp_path, *seen).graph.as_of == "2026-03-02"
