"""`stream-enforcer --version`: the version of the installed package, and nothing more is done."""

from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from stream_enforcer.cli import app


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "run", "--no-such-option"]])
def test_the_version_is_that_of_the_installed_package(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stdout) == (0, f"stream-enforcer {version('stream-enforcer')}\n")
