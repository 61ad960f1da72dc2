"""What a decision says of itself is checked by two files that need nothing but Python."""

import ast
import json
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import orjson
import pytest

from stream_enforcer.domain.decision import compute_id
from stream_enforcer.domain.facts import NOT_EVIDENCE
from stream_enforcer.domain.ownership import proof
from stream_enforcer.replay import consistency
from stream_enforcer.replay.consistency import Refuted, canonical, check_facts, read
from tests.builders import Json, run, signup, world
from tests.strategies import OWNERSHIP

ALONE: Final = (consistency, proof)
RUN: Final = run([signup(organization={"name": "P", "lei": "PROVED"})], world(OWNERSHIP))
(DECIDED,) = RUN.decisions


def forged(decision: Json, **fields: Any) -> Json:
    """Change a decision as somebody would who also writes a new id for it."""
    changed = {**decision, **fields}
    return {**changed, "decision_id": compute_id(changed)}


def refuted(decision: Json) -> str | None:
    try:
        check_facts(read(canonical(decision)))
    except Refuted as fault:
        return str(fault)
    return None


def test_what_is_published_holds_and_is_canonical() -> None:
    assert refuted(DECIDED) is None
    assert canonical(DECIDED) == RUN.values[0]


def evidence(**changes: Any) -> Json:
    """Give the facts of a suspension with changes, and the evidence hash that fits them."""
    facts = DECIDED["facts"] | changes
    shown = {name: value for name, value in facts.items() if name not in NOT_EVIDENCE}
    return {"facts": facts, "evidence_hash": sha256(canonical(shown)).hexdigest()}


OWNERSHIP_SHOWN: Final = DECIDED["ownership"]
BY_NAME: Final = OWNERSHIP_SHOWN | {"match": {"kind": "name", "score": 80}}
NO_MORE_THAN_POSSIBLE: Final = {"ownership_control": "possible", "ownership_effective": "possible"}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"facts": DECIDED["facts"] | {"coverage": 1}}, "evidence_hash: is "),
        ({"evidence_hash": "0" * 64}, f'evidence_hash: is "{"0" * 64}", the facts give "'),
        ({"degraded": ["geo"]}, 'degraded: is ["geo"], the facts give []'),
        ({"override_id": "o"}, 'override_id: is "o", the facts give null'),
        (evidence(degraded=["geo"]), 'degraded: is [], the facts give ["geo"]'),
        (evidence(override_id="o"), 'override_id: is null, the facts give "o"'),
        ({"ownership": None}, "ownership: is null, but the facts know who owns a company"),
        (
            {"ownership": BY_NAME},
            "ownership: does not show the control or effective ownership that the facts",
        ),
        (evidence(**NO_MORE_THAN_POSSIBLE), "ownership: control is worse than the facts say"),
        (evidence(ownership_single_owner="refuted"), "ownership: single_owner is worse than the facts say"),
        (evidence(ownership_effective="sure"), "facts: the ownership verdict 'sure' is not one of refuted, "),
    ],
)
def test_a_decision_that_says_two_things_is_refused(change: Json, what: str) -> None:
    fault = refuted(forged(DECIDED, **change))
    assert fault is not None
    assert fault.startswith(what)


def test_no_stake_of_a_proof_begins_after_the_day_of_the_facts() -> None:
    as_of = DECIDED["facts"]["as_of"]
    for since, fault in (
        (as_of, None),
        ("2026-03-02", f"ownership: cn-holding holds proved since 2026-03-02, the facts are of {as_of}"),
    ):
        proof = [edge | {"since": since} for edge in OWNERSHIP_SHOWN["proof"]]
        assert refuted(forged(DECIDED, ownership=OWNERSHIP_SHOWN | {"proof": proof})) == fault


def test_facts_may_be_worse_than_what_is_shown_of_one_company() -> None:
    shown = forged(DECIDED, **evidence(ownership_control="possible"), ownership=BY_NAME)
    assert refuted(shown) is not None, "effective is still proved in the facts"
    assert refuted(forged(DECIDED, **evidence(**NO_MORE_THAN_POSSIBLE), ownership=BY_NAME)) is None


@pytest.mark.parametrize("number", [7.0, 1e300, float("nan")])
def test_a_number_that_is_not_whole_is_refused(number: float) -> None:
    line = json.dumps({**DECIDED, "facts": {"coverage": number}}).encode()
    with pytest.raises(Refuted, match="is not a whole number"):
        read(line)


@pytest.mark.parametrize("text", ["\u20ac\U0001f600", "\x00\x1f\x7f", '"\\/\b\f\n\r\t', "\u2028\ufeff", ""])
def test_canonical_json_is_what_the_writer_writes(text: str) -> None:
    value = {text: [text, 1, -1, 1 << 62, True, None], "z": {}, "\ue000": 1, "\U00010000": 2}
    assert canonical(value) == orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize("line", [b"7", b"{", b'{"decision_id": "\\ud800"}', b"[" * 100_000, b"9" * 10_000])
def test_what_is_no_decision_is_refused_in_a_sentence(line: bytes) -> None:
    with pytest.raises(Refuted, match="it is not a decision: "):
        read(line)


@pytest.mark.parametrize("module", ALONE, ids=lambda module: module.__name__)
def test_the_checkers_import_the_standard_library_alone(module: ModuleType) -> None:
    tree = ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")))
    imported = [
        name
        for node in tree
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or "."] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    ]
    assert "dataclasses" in imported or "json" in imported
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


PAGE: Final = Path(__file__).parents[2] / "docs" / "ownership.md"


def test_a_stranger_checks_decisions_with_two_files_and_the_program_of_the_page(tmp_path: Path) -> None:
    for module in ALONE:
        shutil.copy(str(module.__file__), tmp_path)
    (program,) = re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "stranger.py").write_text(program, encoding="utf-8")
    lighter = [edge | {"min": 1, "max": 1} for edge in DECIDED["ownership"]["proof"]]
    lie = forged(DECIDED, ownership=DECIDED["ownership"] | {"proof": lighter})
    for decision, code, said in (
        (DECIDED, 0, "1 accounts verified"),
        (lie, 1, "control: the proof shows 1, which does not"),
    ):
        ended = subprocess.run(
            [sys.executable, "-S", "-B", "stranger.py"],
            cwd=tmp_path,
            env={},
            input=canonical(decision),
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        assert said in (ended.stdout + ended.stderr).decode()
