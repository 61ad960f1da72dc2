from pathlib import Path

import pytest

from stream_enforcer.reference.country_names import country_code
from tests.bods_builders import Read, entity, reader


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("cn", "CN"),
        ("US-DE", "US"),
        ({"code": "IR", "name": "somewhere"}, "IR"),
        ({"name": "Islamic Republic Of Iran"}, "IR"),
        ("Iran (Islamic Republic of)", "IR"),
        ("Korea (the Democratic People's Republic of)", None),
        ("Democratic People\u2019s Republic of Korea (the)", "KP"),
        ("Russian Federation (the)", "RU"),
        ({"code": "", "name": "China"}, "CN"),
        ("UK", None),
        ("Atlantis", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_countries_come_as_codes_names_and_objects(value: object, code: str | None) -> None:
    assert country_code(value) == code


def test_an_entity_has_its_seat_names_and_identifiers(read: Read) -> None:
    reading = read(
        entity(
            "a",
            alternateNames=["Alpha"],
            jurisdiction={"name": "Ireland", "code": "IE"},
            addresses=[
                {"type": "registered", "country": "GB"},
                {"type": "business", "country": {"name": "China"}},
            ],
            identifiers=[
                {"scheme": "XI-LEI", "id": "L"},
                {"scheme": "GB-COH", "id": "1"},
                {"scheme": "IE-CRO", "id": "2"},
            ],
        )
    )
    (found,) = reading.entities
    assert (found.name, found.aliases, found.country, found.headquarters) == ("A", ("Alpha",), "IE", "CN")
    assert (found.identifiers.lei, found.identifiers.registration_number) == ("L", "2")


def test_without_a_jurisdiction_the_registered_address_says_the_country(read: Read) -> None:
    iran = {"type": "registered", "country": "Islamic Republic Of Iran"}
    nowhere = {"type": "registered", "country": "Atlantis"}
    reading = read(entity("a", addresses=[iran]), entity("b", addresses=[nowhere]), entity("c"))
    assert [found.country for found in reading.entities] == ["IR", None, None]
    assert reading.skipped == {"country in words that are not known": 1}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"type": "state"}, "state"),
        ({"type": "stateBody"}, "state"),
        ({"type": "arrangement"}, "company"),
        ({"type": "unknownEntity"}, "unknown"),
        ("registeredEntity", "company"),
        (None, "unknown"),
    ],
)
def test_entity_types(read: Read, given: object, kind: str) -> None:
    assert read(entity("a", entityType=given)).entities[0].type == kind


def test_a_person_has_a_name_and_no_country(read: Read) -> None:
    details = {"names": [{"fullName": "A B"}], "nationalities": [{"code": "CN"}]}
    reading = read({"recordId": "p", "recordType": "person", "recordDetails": details})
    (person,) = reading.entities
    assert (person.name, person.type, person.country, person.headquarters) == ("A B", "person", None, None)
