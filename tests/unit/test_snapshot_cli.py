import json
import sys
from importlib.resources import files
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from stream_enforcer.cli.ownership_build import build
from stream_enforcer.cli.ownership_diff import diff
from stream_enforcer.cli.ownership_info import info
from stream_enforcer.domain.ownership.graph import Entity, Stake
from stream_enforcer.snapshot.readings import exact, single_owner
from tests.ownership_builders import PERCENT, company
from tests.snapshot_builders import native

POLICY = files("stream_enforcer") / "policies" / "restricted-regions.yaml"
app = typer.Typer()
for command in (build, info, diff):
    app.command()(command)

COMPANIES = [company("CN"), company("T"), company("A"), Entity("U", "U \x1b[2J", "company", "GB")]
BEFORE = [
    Stake("s1", "CN", "T", 60 * PERCENT, 60 * PERCENT, source="register"),
    Stake("s2", "X", "T", 0, 45 * PERCENT),
    Stake("s3", "CN", "A", 60 * PERCENT, 60 * PERCENT, until="2027-01-01"),
]


def ask(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def made(folder: Path, name: str, companies: list[Entity], stakes: list[Stake]) -> Path:
    source, target = folder / f"{name}.jsonl", folder / name
    source.write_text(native(companies, stakes, "2026-01-01"), encoding="utf-8")
    result = ask("build", source, "-o", target, "--policy", POLICY)
    assert result.exit_code == 0, result.output
    return target


def test_build_says_what_it_made(tmp_path: Path) -> None:
    source = tmp_path / "o.jsonl"
    source.write_text(native(COMPANIES, BEFORE), encoding="utf-8")
    result = ask("build", source, "-o", tmp_path / "s")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "4 entities, 3 stakes, hash " in result.stderr


def test_info_shows_counts_sources_verdicts_and_what_is_on_record(tmp_path: Path) -> None:
    found: dict[str, Any] = json.loads(ask("info", made(tmp_path, "s", COMPANIES, BEFORE), "--json").stdout)
    assert (found["counts"]["entities"], found["counts"]["stakes"], found["unresolved_holders"]) == (4, 3, 1)
    assert found["coverage"] == {"none": 2, "under_half": 0, "half_or_more": 2, "full": 0, "over_full": 0}
    assert found["verdicts"]["control"] == {
        "refuted": 2,
        "possible": 0,
        "proved": 2,
        "not_worked_out": 0,
    }
    days = {name: found["verdicts_for"][name] for name in ("on", "since", "until")}
    assert days == {"on": "2026-01-01", "since": None, "until": "2027-01-01"}
    assert [(source["name"], source["used"]) for source in found["sources"]] == [("s.jsonl", 8)]


def test_info_prints_a_table(tmp_path: Path) -> None:
    lines = ask("info", made(tmp_path, "s", COMPANIES, BEFORE), "--check").stdout.splitlines()
    assert any(line.split() == ["entities", "4"] for line in lines)
    assert any(
        "2026-01-01 (the beginning to before 2027-01-01), restricted CN,IR,KP,RU" in line for line in lines
    )
    assert any("s.jsonl: native JSON Lines, 8 of 8 statements used" in line for line in lines)


def test_info_without_verdicts_says_how_to_get_them(tmp_path: Path) -> None:
    source = tmp_path / "o.jsonl"
    source.write_text(native(COMPANIES, BEFORE), encoding="utf-8")
    ask("build", source, "-o", tmp_path / "s")
    assert "none; build with --policy" in ask("info", tmp_path / "s").stdout


def test_check_refuses_a_changed_file(tmp_path: Path) -> None:
    path = made(tmp_path, "s", COMPANIES, BEFORE)
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)
    assert ask("info", path).exit_code == 0
    result = ask("info", path, "--check")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "s: is damaged: its content does not agree with its checksum" in result.stderr


def test_diff_names_whose_verdict_changes_and_the_holdings_that_differ(tmp_path: Path) -> None:
    before = made(tmp_path, "a", COMPANIES, BEFORE)
    bought = [
        Stake("s1", "CN", "T", 40 * PERCENT, 55 * PERCENT),
        Stake("s4", "T", "U", 100 * PERCENT, 100 * PERCENT),
    ]
    after = made(tmp_path, "b", COMPANIES[:2] + COMPANIES[3:], bought)
    result = ask("diff", before, after)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "T [T]",
        "  control: proved -> possible",
        "  effective: proved -> possible",
        "  single owner: proved -> possible",
        "  CN -> T: 60 % -> 40\u201355 %",
        "U \ufffd[2J [U]",
        "  control: refuted -> possible",
        "  effective: refuted -> possible",
        "  single owner: refuted -> possible",
        "  T -> U: none -> 100 %",
        "  CN -> T: 60 % -> 40\u201355 %",
        "A [A]",
        "  control: proved -> not in the data",
        "  effective: proved -> not in the data",
        "  single owner: proved -> not in the data",
        "  CN -> A: 60 % -> none",
    ]
    assert "3 companies change" in result.stderr


def test_diff_tells_when_a_holder_becomes_a_restricted_one(tmp_path: Path) -> None:
    before = made(
        tmp_path, "a", [company("H"), company("T")], [Stake("s", "H", "T", 60 * PERCENT, 60 * PERCENT)]
    )
    after = made(
        tmp_path, "b", [company("H", "CN"), company("T")], [Stake("s", "H", "T", 60 * PERCENT, 60 * PERCENT)]
    )
    (line,) = ask("diff", before, after, "--json").stdout.splitlines()
    change = json.loads(line)
    assert (change["entity"], change["before"]["control"], change["after"]["control"]) == (
        "T",
        "refuted",
        "proved",
    )
    assert change["reasons"] == [
        {
            "holder": "H",
            "held": "T",
            "restricted": [False, True],
            "before": [60_000_000, 60_000_000],
            "after": [60_000_000, 60_000_000],
        }
    ]


def test_diff_works_out_what_a_snapshot_has_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = [
        Stake("r1", "A", "T", 50 * PERCENT, 50 * PERCENT),
        Stake("r2", "T", "A", 50 * PERCENT, 50 * PERCENT),
    ]
    into = [Stake(f"i{name}", "CN", name, 25 * PERCENT, 25 * PERCENT) for name in ("A", "T")]
    monkeypatch.setattr(exact, "_MOST_WORK", 1)
    before = made(tmp_path, "a", COMPANIES, [*ring, *into])
    assert ", not worked out 2" in ask("info", before).stdout
    assert ask("diff", before, before).stdout == ""
    after = made(
        tmp_path, "b", COMPANIES, [*ring, *into[:1], Stake("iT", "CN", "T", 26 * PERCENT, 26 * PERCENT)]
    )
    changed = ask("diff", before, after).stdout.splitlines()
    assert changed[:2] == ["T [T]", "  effective: refuted -> proved"]


def test_diff_works_out_what_neither_snapshot_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_owner, "_MOST_HOLDINGS", 0)
    companies = [company(name) for name in ("CN1", "CN2", "A", "B", "T")]
    pairs = [("CN1", "A", 60), ("A", "T", 30), ("B", "T", 30)]
    held = [Stake(f"{a}{b}", a, b, share * PERCENT, share * PERCENT) for a, b, share in pairs]
    two = made(tmp_path, "a", companies, [*held, Stake("x", "CN2", "B", 60 * PERCENT, 60 * PERCENT)])
    one = made(tmp_path, "b", companies, [*held, Stake("x", "CN1", "B", 60 * PERCENT, 60 * PERCENT)])
    assert "  single owner: refuted -> proved" in ask("diff", two, one).stdout.splitlines()


def test_a_snapshot_does_not_differ_from_itself(tmp_path: Path) -> None:
    path = made(tmp_path, "s", COMPANIES, BEFORE)
    result = ask("diff", path, path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "0 companies change" in result.stderr


def test_snapshots_without_verdicts_are_not_compared(tmp_path: Path) -> None:
    source = tmp_path / "o.jsonl"
    source.write_text(native(COMPANIES, BEFORE), encoding="utf-8")
    ask("build", source, "-o", tmp_path / "s")
    result = ask("diff", tmp_path / "s", tmp_path / "s")
    assert result.exit_code == 2
    assert "s: has no verdicts: build it with --policy" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--at", "2026-01-01"], "needs --policy"),
        (["--at", "tomorrow", "--policy", "p"], "is not a day such as 2024-06-30"),
        (["--policy", "none.yaml"], "none.yaml"),
    ],
)
def test_a_wrong_option_of_build_is_refused(tmp_path: Path, arguments: list[str], message: str) -> None:
    source = tmp_path / "o.jsonl"
    source.write_text(native(COMPANIES, BEFORE), encoding="utf-8")
    result = ask("build", source, "-o", tmp_path / "s", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_a_bad_file_and_a_target_that_can_not_be_written_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "o.jsonl"
    source.write_text("{}\n", encoding="utf-8")
    assert "o.jsonl:1" in ask("build", source, "-o", tmp_path / "s").stderr
    source.write_text(native(COMPANIES, BEFORE), encoding="utf-8")
    result = ask("build", source, "-o", tmp_path / "nowhere" / "s")
    assert result.exit_code == 2
    assert "can't be written: No such file or directory" in result.stderr


def test_who_serves_does_not_load_numpy() -> None:
    code = "import sys, stream_enforcer.cli, stream_enforcer.snapshot.graph; sys.exit('numpy' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
