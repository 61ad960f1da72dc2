"""What is released: everything that the program needs, nothing else, the same bytes each time, one version."""

import ast
import json
import re
import subprocess
import sys
import tarfile
import tomllib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
EPOCH = "1790000000"


class Built(NamedTuple):
    """The wheel made of the checkout, the source archive, and the wheel made of that."""

    wheel: Path
    archive: Path
    wheel_of_archive: Path


def build(tree: Path, target: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    # Its own environment says the time that files get; nothing else is to depend on where it is built.
    environment = {"SOURCE_DATE_EPOCH": EPOCH, "PATH": "/usr/bin:/bin"}
    subprocess.run(command, cwd=tree, env=environment, check=True, capture_output=True, timeout=60)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("release")
    archive = build(ROOT, "sdist", folder / "archive")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    tree = folder / f"stream_enforcer-{VERSION}"
    return Built(build(ROOT, "wheel", folder / "wheel"), archive, build(tree, "wheel", folder / "again"))


def names_in(wheel: Path) -> set[str]:
    with ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_the_wheel_holds_the_whole_package_and_nothing_beside_it(built: Built) -> None:
    files = (path for path in (ROOT / "stream_enforcer").rglob("*") if path.is_file())
    package = {str(path.relative_to(ROOT)) for path in files if path.suffix != ".pyc"}
    assert {"stream_enforcer/py.typed", "stream_enforcer/policies/restricted-regions.yaml"} <= package
    rest = names_in(built.wheel) - package
    assert package <= names_in(built.wheel)
    assert {name.partition("/")[0] for name in rest} == {f"stream_enforcer-{VERSION}.dist-info"}


def test_the_wheel_carries_the_licence_and_whose_data_it_ships(built: Built) -> None:
    with ZipFile(built.wheel) as opened:
        for name in ("LICENSE", "NOTICE"):
            kept = opened.read(f"stream_enforcer-{VERSION}.dist-info/licenses/{name}")
            assert kept == (ROOT / name).read_bytes()


def test_the_wheel_of_the_archive_is_that_of_the_checkout_to_the_byte(built: Built) -> None:
    assert built.wheel.name == built.wheel_of_archive.name
    assert built.wheel.read_bytes() == built.wheel_of_archive.read_bytes()


def test_the_archive_holds_what_tests_and_checks_need(built: Built) -> None:
    with tarfile.open(built.archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    needed = (
        "Makefile",
        "requirements.lock",
        "requirements-dev.lock",
        "tools/reference_docs.py",
        "docs/operations.md",
    )
    assert [name for name in needed if name not in names] == []
    assert {name for name in names if "__pycache__" in name or name.startswith((".venv", "dist/"))} == set()


def test_there_is_one_version_and_the_changelog_begins_with_it() -> None:
    assert version("stream-enforcer") == VERSION
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[([^\]]+)\]", changelog, re.MULTILINE)[0] == VERSION


def test_no_source_says_the_version_itself() -> None:
    texts = {
        path: {
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant)
        }
        for path in (ROOT / "stream_enforcer").rglob("*.py")
    }
    assert [path for path, found in texts.items() if VERSION in found] == []


@pytest.mark.skipif(
    find_spec("cyclonedx_py") is None, reason="no generator of bills of materials: `make setup`"
)
def test_the_bill_of_materials_names_every_locked_package_and_no_address() -> None:
    from tools.sbom import bill_of_materials  # noqa: PLC0415 - only where its generator is installed

    written = bill_of_materials()
    bill = json.loads(written)
    locked = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    assert {(one["name"], one["version"]) for one in bill["components"]} == set(locked)
    assert all(one["externalReferences"][0]["hashes"] for one in bill["components"])
    assert bill["metadata"]["component"]["version"] == VERSION
    assert "pkg:pypi/aiokafka" in " ".join(bill["dependencies"][0]["dependsOn"])
    assert b"://" not in written
    assert written == bill_of_materials()
