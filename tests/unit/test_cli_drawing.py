"""`explain` draws the proof of the decision that it explains."""

from pathlib import Path

import pytest

from tests.builders import run, signup
from tests.unit.test_cli_explain import REGISTER, TIN, WORLD, app, cli, decided, lines


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_proof_of_a_decision_is_drawn(tmp_path: Path, options: list[str]) -> None:
    register = tmp_path / "o.jsonl"
    register.write_bytes(lines(*REGISTER))
    value = decided(signup("a", organization=TIN))
    asked = ["a", "--from", "-", "--ownership", str(register), *options]
    files = tmp_path / "a.svg", tmp_path / "a.dot"
    result = cli.invoke(app, [*asked, "--svg", str(files[0]), "--dot", str(files[1])], input=value)
    assert (result.exit_code, result.stdout) == (0, cli.invoke(app, asked, input=value).stdout)
    for file in files:
        drawn = file.read_text(encoding="utf-8")
        for part in (
            "Tin Kettle",
            "SG",
            "Moonlit Holdings",
            "60.5 % since 2020-01-01",
            "stakes of 2026-03-01",
        ):
            assert part in drawn


@pytest.mark.parametrize("option", ["--svg", "--dot"])
def test_without_a_company_there_is_nothing_to_draw(tmp_path: Path, option: str) -> None:
    file = tmp_path / "picture"
    result = cli.invoke(app, ["a", "--from", "-", option, str(file)], input=decided(signup("a")))
    assert result.exit_code == 1
    assert result.stdout.startswith("Account a is allowed.")
    assert result.stderr == "the decision shows no company, so there is nothing to draw\n"
    assert not file.exists()


@pytest.mark.parametrize(("holdings", "code"), [(400, 0), (401, 2)])
def test_no_more_holdings_are_drawn_than_the_service_writes(tmp_path: Path, holdings: int, code: int) -> None:
    (decision,) = run([signup("a", organization=TIN)], WORLD).decisions
    ownership = decision["ownership"]
    many = [{**ownership["proof"][0], "holder": f"h{number}"} for number in range(holdings)]
    value = lines({**decision, "ownership": {**ownership, "proof": many}})
    file = tmp_path / "a.dot"
    result = cli.invoke(app, ["a", "--json", "--from", "-", "--dot", str(file)], input=value)
    assert result.exit_code == code
    assert file.exists() is (code == 0)
    assert result.stderr == ("" if code == 0 else "the proof has more than 400 holdings, too many to draw\n")
