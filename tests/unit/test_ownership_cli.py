import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from stream_enforcer.cli.ownership import app
from stream_enforcer.cli.ownership_tree import percent, percent_band, tree
from stream_enforcer.domain.ownership.proof import check
from tests.ownership_builders import assessed, decision_object

RECORDS = (
    {"kind": "entity", "id": "cn", "name": "Beijing Holding", "type": "company", "country": "CN"},
    {"kind": "entity", "id": "t", "name": "T [Inc]", "type": "company", "country": "US"},
    {"kind": "stake", "id": "s", "holder": "cn", "held": "t", "share": 60.5, "until": "2024-06-30"},
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "o.jsonl"
    path.write_text("\n".join(map(json.dumps, RECORDS)), encoding="utf-8")
    return path


def show(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["show", *arguments, "--ownership", str(data)])


def test_show_prints_readings_and_proof_as_a_tree(data: Path) -> None:
    result = show(data, "t", "--restricted", "cn, RU", "--at", "2024-06-29")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "T [Inc] [t]",
        "control: proved, 60.5 %",
        "effective share: proved, 60.5 %",
        "best single owner: proved, 60.5 %",
        "\u2514\u2500\u2500 60.5 % Beijing Holding [cn] (CN)",
        "seat: US (registration)",
        "recorded shares: 60.5 %, 60.5 % up the chain",
        "listings: none",
    ]


def test_show_prints_the_object_of_a_decision_as_json(data: Path) -> None:
    result = show(data, "t", "--restricted", "CN", "--at", "2024-06-29", "--json")
    printed: dict[str, Any] = json.loads(result.stdout)
    assert printed["control"] == {"verdict": "proved", "min": 60_500_000, "max": 60_500_000}
    assert (printed["headquarters"], printed["basis"], printed["coverage"]) == (
        "US",
        "registration",
        60_500_000,
    )
    assert check(printed) is None


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        (["--restricted", "CN", "--at", "2024-06-30"], "refuted"),
        (["--restricted", "RU", "--at", "2024-06-29"], "refuted"),
        (["--restricted", "CN", "--at", "2024-06-29", "--threshold", "60.5"], "refuted"),
        (["--restricted", "CN", "--at", "2024-06-29", "--threshold", "60.499999"], "proved"),
    ],
)
def test_the_options_are_the_question(data: Path, arguments: list[str], verdict: str) -> None:
    assert json.loads(show(data, "t", "--json", *arguments).stdout)["control"]["verdict"] == verdict


def test_show_draws_the_proof_and_prints_what_it_always_prints(data: Path, tmp_path: Path) -> None:
    asked = ["t", "--restricted", "CN", "--at", "2024-06-29"]
    files = tmp_path / "t.svg", tmp_path / "t.dot"
    result = show(data, *asked, "--svg", str(files[0]), "--dot", str(files[1]))
    assert (result.exit_code, result.stdout) == (0, show(data, *asked).stdout)
    for file in files:
        drawn = file.read_text(encoding="utf-8")
        for part in (
            "Who holds T [Inc]",
            "Beijing Holding",
            "60.5 %",
            "US",
            "CN \u00b7 restricted",
            "2024-06-29",
        ):
            assert part in drawn


def test_a_picture_that_cannot_be_written_exits_with_2(data: Path, tmp_path: Path) -> None:
    result = show(data, "t", "--restricted", "CN", "--svg", str(tmp_path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{tmp_path}: cannot be written: Is a directory\n"


def test_an_unknown_entity_is_the_answer_no(data: Path) -> None:
    result = show(data, "x", "--restricted", "CN")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "x is not in the ownership data" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--restricted", "China"],
        ["--restricted", ","],
        ["--restricted", "CN", "--at", "yesterday"],
        ["--restricted", "CN", "--threshold", "101"],
        [],
    ],
)
def test_a_wrong_option_is_refused(data: Path, arguments: list[str]) -> None:
    result = show(data, "t", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_bad_file_is_refused_with_its_place(data: Path) -> None:
    data.write_text('{"kind": "entity"}\n', encoding="utf-8")
    result = show(data, "t", "--restricted", "CN")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "o.jsonl:1: field type: is missing" in result.stderr


@pytest.mark.parametrize(
    ("millionths", "text"),
    [(0, "0 %"), (1, "0.000001 %"), (33_500_000, "33.5 %"), (60_000_000, "60 %"), (100_000_000, "100 %")],
)
def test_a_share_is_written_with_the_decimals_that_it_has(millionths: int, text: str) -> None:
    assert percent(millionths) == text


def test_a_band_has_a_dash_between_its_ends() -> None:
    assert percent_band(33_000_000, 50_000_000) == "33\u201350 %"
    assert percent_band(50_000_000, 50_000_000) == "50 %"


def drawn(*notation: str, **names: str) -> list[str]:
    text = StringIO()
    Console(file=text, width=100).print(tree(decision_object(assessed(*notation)), names))
    return [line.rstrip() for line in text.getvalue().splitlines()[4:]]


def test_a_ring_ends_where_it_comes_back() -> None:
    assert drawn("A 51 -> T", "T 10 -> A", "CN 60 -> A", A="Alpha") == [
        "\u2514\u2500\u2500 51 % Alpha [A]",
        "    \u251c\u2500\u2500 10 % T (see above)",
        "    \u2514\u2500\u2500 60 % CN (CN)",
    ]


def test_holders_met_again_are_drawn_once_and_above() -> None:
    lines = drawn("A 30 -> T", "B 30 -> T", "A 51 -> B", "CN 60 -> A")
    assert [line.lstrip("\u2502\u2514\u251c\u2500 ") for line in lines] == [
        "30 % A",
        "60 % CN (CN)",
        "30 % B",
        "51 % A (see above)",
    ]


def test_a_chain_deeper_than_the_stack_can_be_drawn() -> None:
    assert tree(decision_object(assessed("CN 60 -> T")), {}).children
    proof = [
        {"holder": f"c{n + 1}", "held": f"c{n}", "min": 1, "max": 1, "source": None} for n in range(5_000)
    ]
    claim = {**decision_object(assessed("CN 60 -> T")), "entity": "c0", "proof": proof}
    depth, branch = 0, tree(claim, {})
    while branch.children:
        depth, branch = depth + 1, branch.children[0]
    assert depth == 5_000
