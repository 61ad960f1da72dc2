"""`stream-enforcer policy check`: ok and the policy's hash, or what is wrong and where."""

import json
from pathlib import Path

from typer.testing import CliRunner

from stream_enforcer.cli.policy import app
from stream_enforcer.reference.policy_file import default_policy_path
from tests.builders import DEFAULT_POLICY

cli = CliRunner()

DEFAULT = str(default_policy_path())


def test_a_good_policy_is_said_to_be_ok_on_stderr() -> None:
    result = cli.invoke(app, ["check", DEFAULT])
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"ok: restricted-regions 1, 11 rules, hash {DEFAULT_POLICY.hash}\n"


def test_a_shadow_policy_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "id: p\nversion: '1'\nmode: shadow\nrestricted: [CN]\n"
        "rules:\n- {id: r, when: anonymous, outcome: review, reason: R.}\n"
    )
    assert cli.invoke(app, ["check", str(path)]).stderr.startswith("ok: p 1, 1 rule, shadow, hash ")


def test_json_goes_to_stdout() -> None:
    result = cli.invoke(app, ["check", DEFAULT, "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "id": "restricted-regions",
        "version": "1",
        "mode": "enforce",
        "rules": 11,
        "hash": DEFAULT_POLICY.hash,
    }


def test_a_wrong_policy_exits_with_1_and_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "id: p\nversion: '1'\nrestricted: [CN]\n"
        "rules:\n  - id: r\n    when: anonymous && coverage\n    outcome: review\n    reason: R.\n"
    )
    for options in ([], ["--json"]):
        result = cli.invoke(app, ["check", str(path), *options])
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"{path}:6:")
        assert "rule r:" in result.stderr


def test_a_file_that_is_not_there_exits_with_2(tmp_path: Path) -> None:
    assert cli.invoke(app, ["check", str(tmp_path / "absent.yaml")]).exit_code == 2
    assert cli.invoke(app, ["check"]).exit_code == 2
