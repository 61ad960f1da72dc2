"""What is released, installed in an environment of its own and used far from the repository."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.deploy.test_release import ROOT, VERSION, build
from tests.shown_commands import perform

pytestmark = pytest.mark.deploy

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


def outside(**more: str) -> Mapping[str, str]:
    """Return an environment that knows nothing of this repository."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "STREAM_ENFORCER"))
    }
    return {**kept, "NO_COLOR": "1", **more}


def run(*command: str, folder: Path, seconds: int) -> str:
    done = subprocess.run(
        command, cwd=folder, env=outside(), capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the locked dependencies and the wheel into a new environment; return the folder of its programs."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build(ROOT, "wheel", folder / "wheel")
    run(sys.executable, "-m", "venv", str(folder / "venv"), folder=folder, seconds=120)
    pip = (
        str(folder / "venv" / "bin" / "python"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
    )
    run(*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock"), folder=folder, seconds=900)
    run(*pip, "--no-deps", str(wheel), folder=folder, seconds=60)
    return folder / "venv" / "bin"


def test_the_wheel_asks_for_what_the_lock_holds(programs: Path, tmp_path: Path) -> None:
    assert "No broken requirements" in run(str(programs / "pip"), "check", folder=tmp_path, seconds=60)


def test_the_program_is_the_installed_one_and_says_its_version(programs: Path, tmp_path: Path) -> None:
    where = "import stream_enforcer as found; print(found.__file__)"
    said = run(str(programs / "python"), "-c", where, folder=tmp_path, seconds=60)
    assert Path(said.strip()).is_relative_to(programs.parent)
    assert run(str(programs / "stream-enforcer"), "--version", folder=tmp_path, seconds=60).split() == [
        "stream-enforcer",
        VERSION,
    ]


def test_the_tutorial_works_with_nothing_but_what_is_installed(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    perform(TUTORIAL, tmp_path, programs)


def test_the_source_archive_installs_as_well(programs: Path, tmp_path: Path) -> None:
    archive = build(ROOT, "sdist", tmp_path / "archive")
    pip = (str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--no-deps", "--target", str(tmp_path / "target"), str(archive), folder=tmp_path, seconds=300)
    assert (tmp_path / "target" / "stream_enforcer" / "py.typed").is_file()


@pytest.mark.broker
def test_the_demo_runs_far_from_the_repository(programs: Path, tmp_path: Path) -> None:
    said = run(str(programs / "stream-enforcer"), "demo", "--events", "1000", folder=tmp_path, seconds=240)
    assert "no gap and no repeat in the chains of" in said
    assert "Stopped, nothing is left running" in said
    assert list(tmp_path.iterdir()) == []
