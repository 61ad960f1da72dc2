"""Shapes that no company should have, whole: they are built and shown within bounds that the system keeps.

The program runs as it is installed, in a process that may use so much processor time and so much memory.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

POLICY = files("stream_enforcer") / "policies" / "restricted-regions.yaml"
CHAIN, RING, HOLDINGS = 30, 10_000, 200_000
SECONDS, BYTES = 90, 2 << 30


def stakes() -> Iterator[tuple[str, str, float]]:
    """Yield a chain below a restricted holder, a ring that it holds a little of, and a holder of very many."""
    yield "cn", "chain0", 80
    for level in range(CHAIN - 1):
        yield f"chain{level}", f"chain{level + 1}", 80
    for place in range(RING):
        yield f"ring{place}", f"ring{(place + 1) % RING}", 60
        yield "cn", f"ring{place}", 1
    yield "cn", "big", 51
    for number in range(HOLDINGS):
        yield "big", f"small{number}", 51


def bounded(*arguments: object, memory: int = BYTES) -> str:
    """Run a command within bounds and return what it prints."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    program = [sys.executable, "-c", "from stream_enforcer.cli import main; main()", "ownership"]
    done = subprocess.run(
        [*program, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "o.jsonl"
    held = list(stakes())
    with path.open("w", encoding="utf-8") as file:
        file.write('{"kind":"snapshot","as_of":"2026-01-01"}\n')
        for party in dict.fromkeys(party for holder, company, _ in held for party in (holder, company)):
            country = "CN" if party == "cn" else "GB"
            file.write(
                f'{{"kind":"entity","id":"{party}","name":"{party}","type":"company","country":"{country}"}}\n'
            )
        for number, (holder, company, share) in enumerate(held):
            file.write(
                f'{{"kind":"stake","id":"s{number}","holder":"{holder}","held":"{company}","share":{share}}}\n'
            )
    return path


@pytest.fixture(scope="module")
def snapshot(source: Path) -> Path:
    target = source.with_name("o.snapshot")
    bounded("build", source, "-o", target, "--policy", POLICY)
    return target


def shown(file: Path, entity: str, **more: Any) -> dict[str, Any]:
    options = ("--ownership", file, "--restricted", "CN", "--at", "2026-01-01", "--json")
    found: dict[str, Any] = json.loads(bounded("show", entity, *options, **more))
    return found


ANSWERS = [
    ("chain29", "proved", 80_000_000, 123_794),  # 0.8 ** 30
    ("ring77", "refuted", 1_000_000, 2_499_999),  # 1 % / (1 - 0.6), in numbers too long to keep: rounded down
    ("small199999", "proved", 51_000_000, 26_010_000),
]


@pytest.mark.parametrize(("entity", "control", "held", "effective"), ANSWERS)
def test_a_snapshot_answers_whatever_its_shape(
    snapshot: Path, entity: str, control: str, held: int, effective: int
) -> None:
    found = shown(snapshot, entity, memory=1 << 30)
    assert (found["control"]["verdict"], found["control"]["min"]) == (control, held)
    assert found["effective"]["min"] == effective


def test_files_answer_as_their_snapshot_does(source: Path, snapshot: Path) -> None:
    assert shown(source, "small7") == shown(snapshot, "small7")


def test_info_and_verdicts_count_all(snapshot: Path) -> None:
    found = json.loads(bounded("info", snapshot, "--json"))
    assert found["counts"]["stakes"] == 2 * RING + CHAIN + HOLDINGS + 1
    assert found["verdicts"]["control"] == {
        "refuted": RING + 1,
        "possible": 0,
        "proved": CHAIN + 1 + HOLDINGS,
        "not_worked_out": 0,
    }
