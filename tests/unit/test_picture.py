"""A proof as a picture: everything that it holds is there, nothing overlaps, and names stay text."""

import re
import subprocess
import sys
from itertools import combinations, pairwise
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.cli.picture import Described, Picture, dot, picture, svg
from stream_enforcer.cli.picture.layers import heights
from stream_enforcer.cli.picture.layout import layout
from stream_enforcer.cli.picture.sizes import shortened, width, wrapped
from stream_enforcer.cli.printable import printable
from stream_enforcer.domain.ownership.semantics import assess
from tests.ownership_builders import DAY, assessed, decision_object
from tests.ownership_worlds import TODAY, cases

SVG: Final = "{http://www.w3.org/2000/svg}"
NOTATION: Final = (
    "CN 51 -> A",
    "CN 10-20 -> T",
    "A 30 -> T",
    "B 20 -> T",
    "CN2 70 -> B",
    "A 55 -> B",
    "T 10 -> A",
    "C 60 -> A",
    "CN3 80 -> C",
    "CN 3 -> C",
    "A 1 -> T",
    "T 5 -> T",
)
"""Rings, a stake in itself, two stakes of one holder, and chains of different lengths."""
RING: Final = decision_object(assessed(*NOTATION))
HOSTILE: Final = (
    "</text><script>alert(1)</script>",
    "]]><!--<x y='&amp;\"'>&#60;",
    '\\N \\"; n0 -> n1 [label="\\l',
    "\x00\x1b[31m\u202e\ud800\ufffe\u2028\r\n",
    "\u5317\u4eac \u0628\u0646\u06a9 e\u0301",
    "",
)


def pictured(ownership: Any = RING, **names: str) -> Picture:
    return picture(ownership, {party: Described(name, "GB") for party, name in names.items()}, DAY)


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - what we wrote ourselves


def texts(root: ET.Element) -> list[str]:
    return [item.text or "" for item in root.iter(f"{SVG}text")]


PICTURES: Final = [
    picture(decision_object(finding, case.question), {}, TODAY)
    for case in cases(11, 1_000)
    if len((finding := assess(case.graph, case.company, TODAY, case.question)).proof) > 7
]


def test_every_party_and_every_stake_is_there() -> None:
    found = pictured(T="Tin Kettle")
    said = texts(parsed(svg(found)))
    assert {"Tin Kettle", "A", "B", "C", "CN", "CN2", "CN3"} <= set(said)
    shares = ["51 %", "10\u201320 %", "30 %", "20 %", "70 %", "55 %", "10 %", "60 %", "80 %", "3 %", "1 %"]
    assert all(said.count(share) == 1 for share in shares)
    assert "holds 5 % of itself" in said
    assert said.count("CN \u00b7 restricted") == 3
    assert len(list(parsed(svg(found)).iter(f"{SVG}polygon"))) == 3, "restricted holders differ by shape"
    assert dot(found).count("shape=octagon") == 3


def test_the_caption_says_the_readings_the_threshold_and_the_day() -> None:
    assert texts(parsed(svg(pictured(T="Tin Kettle"))))[:5] == [
        "Who holds Tin Kettle",
        "control: proved, 66\u201376 %",
        "effective share: proved, 64.210526\u201374.736843 %",
        "best single owner: proved, 66\u201376 %",
        "threshold: more than 50 %; stakes of 2026-05-01",
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"strict": False}, "threshold: at least 50 %; stakes of 2026-05-01"),
        ({"proof_complete": False}, "the proof is not complete: too many stakes take part"),
        ({"match": {"kind": "name", "score": 1}}, "found by its name alone, so what is proved counts as"),
    ],
)
def test_the_caption_says_what_else_has_to_be_known(change: dict[str, Any], line: str) -> None:
    assert any(said.startswith(line) for said in pictured({**RING, **change}).caption)
    assert not any(said.startswith(line) for said in pictured().caption)


def test_where_nothing_is_proved_the_company_stands_alone_and_the_picture_says_why() -> None:
    found = pictured(decision_object(assessed("CN 40 -> T")))
    assert (list(found.parties), found.holdings) == (["T"], ())
    assert found.caption[-1] == "nothing is proved or possible, so there are no holdings to show"
    assert "T" in texts(parsed(svg(found)))


def test_it_is_an_image_with_a_name_and_a_description_in_words() -> None:
    root = parsed(svg(pictured(T="Tin Kettle")))
    assert root.get("role") == "img"
    named = [root.find(f"{SVG}{name}") for name in ("title", "desc")]
    assert [item.get("id") for item in named if item is not None] == str(root.get("aria-labelledby")).split()
    title, desc = (item.text or "" for item in named if item is not None)
    assert title == "Who holds Tin Kettle"
    assert "CN (CN, restricted) holds 51 % of A. " in desc
    assert "A holds 1 % and 30 % of Tin Kettle" in desc.replace("30 % and 1 %", "1 % and 30 %")
    assert "Tin Kettle holds 5 % of itself" in desc


def test_nothing_in_it_runs_or_is_fetched_and_it_reads_on_dark_ground() -> None:
    text = svg(pictured())
    for element in parsed(text).iter():
        assert element.tag.removeprefix(SVG) in {
            *("svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "g", "polygon")
        }
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name]
    assert "url(" not in text.replace('"url(#head)"', "")
    assert "@media (prefers-color-scheme: dark)" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(name: str) -> None:
    plain, hostile = (
        pictured(
            {**RING, "entity": party, "proof": [_renamed(edge, party) for edge in RING["proof"]]},  # type: ignore[attr-defined]  # it is a list
            A=party,
        )
        for party in ("T", f"T{name}")
    )
    one, other = (parsed(svg(found)) for found in (plain, hostile))
    shape = [[element.tag for element in root.iter() if element.tag != f"{SVG}text"] for root in (one, other)]
    assert shape[0] == shape[1]
    assert f"Who holds {printable('T' + name)}" == other.findtext(f"{SVG}title")
    assert (
        statements(dot(hostile))[:2]
        == [statement for statement in statements(dot(hostile)) if "->" not in statement[0]][:2]
    )
    assert [kind for kind, _ in statements(dot(plain))] == [kind for kind, _ in statements(dot(hostile))]
    assert printable(f"T{name}") in [label.split("\n")[0] for _, label in statements(dot(hostile))]


def _renamed(edge: dict[str, Any], entity: str) -> dict[str, Any]:
    return {name: entity if value == "T" else value for name, value in edge.items()}


STATEMENT: Final = re.compile(
    r'  (graph|node|edge|n\d+(?: -> n\d+)?) \[((?:[^"\[\]\n]|"(?:[^"\\\n]|\\["\\nl])*")*)\];'
)
LABEL: Final = re.compile(r'label="((?:[^"\\]|\\.)*)"')


def statements(text: str) -> list[tuple[str, str]]:
    """Read DOT as far as it is used here: what each statement is about, and its label as it is shown."""
    first, *lines, last = text.removesuffix("\n").split("\n")
    assert (first, last) == ("digraph ownership {", "}")
    found = []
    for line in lines:
        whole = STATEMENT.fullmatch(line)
        assert whole is not None, line
        label = LABEL.search(whole[2])
        shown = re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nl" else m[1], label[1] if label else "")
        found.append((whole[1], shown))
    return found


def test_dot_has_a_node_for_each_party_and_an_arrow_for_each_pair() -> None:
    found = pictured(T="Tin Kettle")
    said = statements(dot(found))
    assert [kind for kind, _ in said[:3]] == ["graph", "node", "edge"]
    assert said[0][1].splitlines() == [found.title, *found.caption]
    nodes = {kind: label.split("\n")[0] for kind, label in said[3:] if "->" not in kind}
    assert list(nodes.values()) == [party.name for party in found.parties.values()]
    arrows = [(*(nodes[end] for end in kind.split(" -> ")), label) for kind, label in said if "->" in kind]
    assert ("CN", "A", "51 %") in arrows
    assert len(arrows) == len(found.holdings) == 10


def test_the_same_proof_gives_the_same_bytes_in_every_process() -> None:
    program = (
        "from tests.unit.test_picture import pictured; from stream_enforcer.cli.picture import dot, svg; "
        "import sys; sys.stdout.buffer.write((svg(pictured()) + dot(pictured())).encode())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {(svg(pictured()) + dot(pictured())).encode()}


@pytest.mark.parametrize("found", [pictured(), *PICTURES])
def test_nothing_overlaps_and_everything_is_inside(found: Picture) -> None:
    laid = layout(found)
    for one, other in combinations(laid.items, 2):
        apart_x = abs(one.x - other.x) + 1e-6 >= (one.width + other.width) / 2
        apart_y = abs(one.y - other.y) + 1e-6 >= (one.height + other.height) / 2
        assert apart_x or apart_y
    assert all(item.x - item.width / 2 >= -1e-6 and item.y >= 0 for item in laid.items)
    assert all(
        item.x + item.width / 2 <= laid.width + 1e-6 and item.y + item.height / 2 <= laid.height + 1e-6
        for item in laid.items
    )


@pytest.mark.parametrize("found", [pictured(), *PICTURES])
def test_every_arrow_goes_from_row_to_row_and_has_its_label(found: Picture) -> None:
    laid = layout(found)
    for arrow, holding in zip(laid.arrows, found.holdings, strict=True):
        assert all(
            one.y + one.height / 2 < other.y - other.height / 2 + 1e-6 for one, other in pairwise(arrow.way)
        )
        ends = (holding.holder, holding.held)
        assert (arrow.way[0].party, arrow.way[-1].party) == (ends[::-1] if arrow.upwards else ends)
        assert arrow.way[-2].lines == holding.stakes


def test_holders_stand_above_what_they_hold_but_for_one_arrow_of_a_ring() -> None:
    high = heights(pictured())
    assert high == {"T": 0, "B": 1, "A": 2, "CN2": 2, "C": 3, "CN": 4, "CN3": 4}


def test_a_chain_deeper_than_the_stack_can_be_drawn() -> None:
    proof = [
        {"holder": f"c{n + 1}", "held": f"c{n}", "min": 1, "max": 1, "source": None} for n in range(2_000)
    ]
    found = pictured({**RING, "entity": "c0", "proof": proof})
    assert max(heights(found).values()) == 2_000


@given(st.text(max_size=80), st.integers(30, 300), st.integers(1, 3))
def test_text_is_broken_and_shortened_so_that_it_fits(text: str, room: int, most: int) -> None:
    short, lines = shortened(text, 12, room), wrapped(text, 12, room, most)
    assert width(short, 12) <= room
    assert short == text or short.endswith("\u2026")
    assert len(lines) <= most
    assert all(width(line, 12) <= room for line in lines)
    if not any("\u2026" in line for line in lines):
        assert " ".join(lines) == text
