from typing import TYPE_CHECKING, Any

import orjson
import pytest

from stream_enforcer.demo.accounts import RESTRICTED, STORIES, Story, first_of
from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.demo.events import generate
from stream_enforcer.domain.decision import Decision
from stream_enforcer.domain.engine import step
from stream_enforcer.domain.ownership.graph import OwnershipGraph
from stream_enforcer.domain.ownership.semantics import Question, assess
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.reference.ownership import load_ownership
from stream_enforcer.reference.world_files import load_world

if TYPE_CHECKING:
    from stream_enforcer.domain.account import Account

DAY = "2026-06-18"


@pytest.fixture(scope="module")
def graph() -> OwnershipGraph:
    return load_ownership([ownership_file()])


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in ownership_file().read_bytes().splitlines()]


@pytest.mark.parametrize(
    ("company", "control", "effective", "single_owner"),
    [
        ("paper-crane-singapore", "proved", "proved", "proved"),  # 100 %
        ("bridgewick-otters", "proved", "refuted", "proved"),  # 60 % of 60 %
        ("twin-kettle-comets", "proved", "proved", "refuted"),  # 30 % and 25 %
        ("half-moon-badgers", "refuted", "refuted", "refuted"),  # exactly 50 %
        ("sliver-moon-badgers", "proved", "proved", "proved"),  # 50.000001 %
        ("ninth-canal-abacus", "proved", "proved", "proved"),  # a state
        ("ledgerfern-puffins", "possible", "possible", "possible"),  # 50 to 75 %
        ("thistledown-walrus", "possible", "possible", "refuted"),  # 25 to 50 %, and 10 %
        ("quillstone-dragonfly", "proved", "proved", "proved"),  # 50.5 to 67.5 %, led from CN
        ("opaque-octopus-cloud", "possible", "possible", "possible"),  # share unknown
        ("freed-finch-trombones", "refuted", "refuted", "refuted"),  # ended
        ("tomorrow-orchard-pears", "refuted", "refuted", "refuted"),  # not begun
        ("ouroboros-beta-noodles", "refuted", "proved", "refuted"),  # a cycle
        ("prism-valley-crickets", "proved", "refuted", "proved"),  # a diamond
        ("nested-teacup-studio", "proved", "proved", "proved"),  # three links
        ("solo-sparrow-ukuleles", "refuted", "refuted", "refuted"),  # a natural person
        ("lacquer-lagoon-apps", "refuted", "refuted", "refuted"),  # registered in CN, led from SG
        ("heron-pretzel-optics", "refuted", "refuted", "refuted"),  # 40 %
    ],
)
def test_the_register_holds_a_company_for_each_answer(
    graph: OwnershipGraph, company: str, control: str, effective: str, single_owner: str
) -> None:
    finding = assess(graph, f"demo:{company}", DAY, Question(frozenset(RESTRICTED)))
    readings = (finding.control, finding.effective, finding.single_owner)
    assert tuple(reading.verdict for reading in readings) == (control, effective, single_owner)


@pytest.fixture(scope="module")
def decisions() -> dict[str, Decision]:
    """Judge a stream with the packaged policy; give the last decision of each account."""
    world = load_world(None, geo_sources(), [ownership_file()]).world
    states: dict[bytes, Account] = {}
    last: dict[str, Decision] = {}
    for offset, (role, key, value) in enumerate(generate(1_500, 7, accounts=20)):
        judged = step(
            StoredRecord(role, 0, offset, 0, key, value), None, states.get(key), world, "transitions"
        )
        if judged.account is not None:
            states[key] = judged.account
        if judged.decision is not None:
            last[key.decode()] = judged.decision
    return last


@pytest.mark.parametrize(
    ("story", "action", "review", "codes"),
    [
        ("resident", "allow", False, set()),
        ("company", "allow", False, set()),
        ("register", "suspend", False, {"ownership-restricted"}),
        ("cloud", "allow", False, set()),
        ("traveller", "allow", True, {"seen-in-restricted-region"}),
        ("masked", "allow", True, {"phone-country-restricted", "anonymous-network"}),
        ("phone", "allow", True, {"phone-country-restricted"}),
        ("declared", "allow", False, {"override", "declared-country-restricted"}),
        ("commuter", "allow", False, {"override", "usage-from-restricted-region"}),
    ],
)
def test_each_story_ends_as_it_should(
    decisions: dict[str, Decision], story: Story, action: str, review: bool, codes: set[str]
) -> None:
    decision = orjson.loads(decisions[first_of(story)].value)
    assert (decision["action"], decision["review"]) == (action, review)
    assert {reason["code"] for reason in decision["reasons"]} == codes


def test_who_signs_up_from_a_restricted_country_is_suspended(decisions: dict[str, Decision]) -> None:
    decision = orjson.loads(decisions[first_of("restricted")].value)
    assert decision["action"] == "suspend"
    assert "signup-from-restricted-region" in {reason["code"] for reason in decision["reasons"]}
    assert decision["degraded"] == []
    assert decisions.keys() >= {first_of(story) for story in STORIES}


def lei_is_whole(lei: str) -> bool:
    """Check the two last digits: ISO 17442 takes them from ISO 7064, MOD 97-10."""
    return len(lei) == 20 and int("".join(str(int(sign, 36)) for sign in lei)) % 97 == 1


def test_the_register_is_whole_and_openly_invented(rows: list[dict[str, Any]]) -> None:
    assert rows[0] == {"kind": "snapshot", "as_of": "2026-06-15"}
    entities = {row["id"]: row for row in rows if row["kind"] == "entity"}
    stakes = [row for row in rows if row["kind"] == "stake"]
    assert len(entities) + len(stakes) + 1 == len(rows)
    assert all(stake[end] in entities for stake in stakes for end in ("holder", "held"))
    assert {stake["source"] for stake in stakes} == {"assembled for the demo; fictional"}
    known = [row["identifiers"] for row in entities.values() if "identifiers" in row]
    assert all(lei_is_whole(ids["lei"]) and ids["lei"].startswith("DEMO") for ids in known if "lei" in ids)
    assert all(ids["domain"].endswith(".example") for ids in known if "domain" in ids)
    for key in ("lei", "registration_number", "domain"):
        values = [ids[key] for ids in known if key in ids]
        assert len(set(values)) == len(values)
