"""`stream-enforcer schemas export`: one file for each document, named on stdout."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream_enforcer.cli.schemas import app
from stream_enforcer.schemas import contract_files

cli = CliRunner()


def test_every_schema_is_written_and_named(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "schemas"
    result = cli.invoke(app, ["export", str(directory)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [str(directory / name) for name in contract_files()]
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == contract_files()


def test_the_default_directory_is_schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.invoke(app, ["export"]).exit_code == 0
    assert {path.name for path in (tmp_path / "schemas").iterdir()} == set(contract_files())


def test_a_directory_that_cannot_be_written_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = cli.invoke(app, ["export", str(tmp_path / "file")])
    assert result.exit_code == 2
    assert result.stderr == f"{tmp_path / 'file'}: cannot be written: File exists\n"
