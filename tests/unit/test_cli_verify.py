"""`stream-enforcer verify`: what holds is counted, and the first that does not is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from stream_enforcer.cli.verify import verify
from stream_enforcer.domain.decision import compute_id
from stream_enforcer.reference.policy_file import default_policy_path
from stream_enforcer.replay.event_files import MAX_LINE_BYTES, Line
from stream_enforcer.replay.verification import verify_decisions
from tests.builders import DEFAULT_POLICY, Json, at, ip, override, run, signup, usage, world
from tests.strategies import OWNERSHIP, histories

app = typer.Typer()
app.command()(verify)
cli = CliRunner()

WORLD = world(OWNERSHIP)
EVENTS: Final = [
    signup("a", ip=ip("us"), organization={"name": "P", "lei": "POSSIBLE"}),
    signup("b"),
    signup("a", organization={"name": "P", "lei": "PROVED"}, occurred_at=at(1)),
    usage("b", ip=ip("cn"), occurred_at=at(1)),
    override("a", occurred_at=at(2)),
]
DECISIONS: Final = run(EVENTS, WORLD).decisions
"""a: review, b: allow, a: suspend, b: review, a: allow by override."""


def encoded(*decisions: Json) -> bytes:
    return b"".join(orjson.dumps(d, option=orjson.OPT_SORT_KEYS) + b"\n" for d in decisions)


def verified(*decisions: Json, options: tuple[str, ...] = ()) -> Result:
    return cli.invoke(app, ["-", *options], input=encoded(*decisions))


def forged(decision: Json, **fields: Any) -> Json:
    """Change a decision as somebody would who also writes a new id for it."""
    changed = {**decision, **fields}
    return {**changed, "decision_id": compute_id(changed)}


def test_the_example_has_chains_and_proofs() -> None:
    assert [(d["account_id"], d["sequence"], d["action"], d["review"]) for d in DECISIONS] == [
        ("a", 1, "allow", True),
        ("b", 1, "allow", False),
        ("a", 2, "suspend", False),
        ("b", 2, "allow", True),
        ("a", 3, "allow", False),
    ]
    assert DECISIONS[2]["ownership"]["proof"]


@pytest.mark.parametrize("options", [(), ("--policy", str(default_policy_path())), ("--partial",)])
def test_what_the_service_publishes_holds(options: tuple[str, ...]) -> None:
    result = verified(*DECISIONS, options=options)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "5 decisions of 2 accounts verified\n"


@given(histories("a", "b"), st.sampled_from(["transitions", "every"]))
def test_whatever_the_engine_decides_holds(history: list[Json], emit: Any) -> None:
    values = run(history, WORLD, emit).values
    lines = [Line(number, value, True) for number, value in enumerate(values, start=1)]
    result = verify_decisions(lines, DEFAULT_POLICY, partial=False)
    assert result.failure is None
    assert result.decisions == len(values)


def test_a_file_is_read_and_named(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_bytes(encoded(DECISIONS[1]))
    result = cli.invoke(app, [str(path)])
    assert (result.exit_code, result.stderr) == (0, "1 decision of 1 account verified\n")
    path.write_bytes(encoded(DECISIONS[1]) + b"\n{}\n")
    result = cli.invoke(app, [str(path)])
    assert result.exit_code == 1
    assert result.stderr == (
        f"{path}:3: a decision without id: it is not a decision: decision_id: Field required\n"
    )


OTHER: Final[Json] = {
    **DECISIONS[4],
    "decision_id": "0" * 64,
    "account_id": "c",
    "degraded": ["geo"],
    "evidence_hash": "1" * 64,
    "facts": {},
    "ownership": None,
    "policy": DECISIONS[2]["policy"] | {"version": "2"},
    "reference": DECISIONS[2]["reference"] | {"geo": {"hash": "2" * 64, "built_at": None}},
    "review": True,
}
"""Another value of every field, each of them a possible one."""


@pytest.mark.parametrize("name", sorted(DECISIONS[2]))
def test_no_field_can_be_changed_or_left_out_unseen(name: str) -> None:
    changed = verified(*DECISIONS[:2], {**DECISIONS[2], name: OTHER[name]}, *DECISIONS[3:])
    assert changed.exit_code == 1
    assert changed.stderr.startswith("-:3: ")
    assert ": decision_id: the content gives " in changed.stderr
    without = {key: value for key, value in DECISIONS[2].items() if key != name}
    left_out = verified(*DECISIONS[:2], without, *DECISIONS[3:])
    assert left_out.exit_code == 1
    assert f"it is not a decision: {name}: Field required" in left_out.stderr


def test_the_first_that_fails_is_named_by_line_and_id() -> None:
    result = verified(*DECISIONS[:2], {**DECISIONS[2], "review": True}, {**DECISIONS[3], "review": False})
    assert result.exit_code == 1
    computed = compute_id({**DECISIONS[2], "review": True})
    assert result.stderr == (
        f"-:3: decision {DECISIONS[2]['decision_id']}: decision_id: the content gives {computed}\n"
    )


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda a: [a[0], a[2]], "sequence: 3 comes after 1, decisions between are missing"),
        (lambda a: [a[0], a[0]], "sequence: 1 comes after 1 of the same account"),
        (lambda a: [a[0], a[1], a[0]], "sequence: 1 comes after 2 of the same account"),
        (lambda a: [a[1]], "sequence: the account's first decision here is number 2, not 1 (--partial"),
        (lambda a: [a[0], forged(a[1], supersedes="0" * 64)], f"supersedes: is {'0' * 64}, the account's"),
        (lambda a: [a[0], forged(a[1], supersedes=None)], "supersedes: is null, the account's chain gives"),
        (
            lambda a: [a[0], forged(a[1], previous_action="suspend")],
            "previous_action: is suspend, the account's chain gives allow",
        ),
        (
            lambda a: [forged(a[0], supersedes="0" * 64)],
            f"supersedes: is {'0' * 64}, the account's chain gives",
        ),
        (lambda a: [forged(a[0], previous_action="allow")], "previous_action: is allow, the account's chain"),
    ],
)
def test_a_chain_that_does_not_hold_is_refused(damage: Callable[[list[Json]], list[Json]], what: str) -> None:
    of_a = [d for d in DECISIONS if d["account_id"] == "a"]
    damaged = damage(of_a)
    result = verified(DECISIONS[1], *damaged)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"-:{1 + len(damaged)}: decision {damaged[-1]['decision_id']}: {what}")


def test_a_decision_rewritten_in_the_middle_breaks_the_chain_after_it() -> None:
    result = verified(forged(DECISIONS[0], review=False), *DECISIONS[1:])
    assert result.exit_code == 1
    assert "-:3: " in result.stderr
    assert "supersedes" in result.stderr


def test_a_chain_begins_anew_after_an_allow_when_told_so() -> None:
    first, again = (
        run(EVENTS[1:2], WORLD).decisions[0],
        run([usage("b", occurred_at=at(9))], WORLD).decisions[0],
    )
    assert verified(first, again, options=("--partial",)).exit_code == 0
    assert verified(first, again).exit_code == 1
    assert verified(first, first, options=("--partial",)).exit_code == 1
    suspended = run([signup("b", ip=ip("cn"))], WORLD).decisions[0]
    assert verified(suspended, again, options=("--partial",)).exit_code == 1


def test_data_that_begins_midway_is_accepted_when_told_so() -> None:
    assert verified(*DECISIONS[2:], options=("--partial",)).exit_code == 0
    result = verified(*DECISIONS[2:3], *DECISIONS[4:], DECISIONS[2], options=("--partial",))
    assert result.exit_code == 1
    for broken in ({"supersedes": None}, {"previous_action": None}):
        result = verified(forged(DECISIONS[2], **broken), options=("--partial",))
        assert result.exit_code == 1
        assert "names no decision before it" in result.stderr


def test_an_ownership_verdict_that_its_proof_does_not_show_is_refused() -> None:
    ownership = DECISIONS[2]["ownership"]
    lighter = [{**edge, "min": 40_000_000, "max": 40_000_000} for edge in ownership["proof"]]
    result = verified(*DECISIONS[:2], forged(DECISIONS[2], ownership={**ownership, "proof": lighter}))
    assert result.exit_code == 1
    assert "ownership: control: " in result.stderr


def test_other_spacing_and_order_are_no_harm() -> None:
    line = orjson.dumps({key: DECISIONS[1][key] for key in sorted(DECISIONS[1], reverse=True)})
    spaced = line.replace(b'":', b'": ')
    assert cli.invoke(app, [], input=spaced).exit_code == 0


def test_a_name_that_stands_twice_is_refused() -> None:
    # A reader that takes the first value would see a suspension here.
    line = encoded(DECISIONS[1]).replace(b'{"account_id"', b'{"action":"suspend","account_id"', 1)
    result = cli.invoke(app, [], input=line)
    assert result.exit_code == 1
    assert "the name 'action' stands twice" in result.stderr


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"nothing", "it is not a decision: Invalid JSON"),
        (b"\xff", "it is not a decision: Invalid JSON"),
        (b"[" * 300, "it is not a decision: Invalid JSON: recursion limit"),
        (b" " * (MAX_LINE_BYTES + 1), "it is longer than any decision can be"),
        (b'{"decision_id": "\\u001b[31m"}', "a decision without id"),
    ],
)
def test_a_line_that_is_no_decision_is_refused(line: bytes, what: str) -> None:
    result = cli.invoke(app, [], input=line)
    assert result.exit_code == 1
    assert what in result.stderr
    assert "\x1b" not in result.stderr


BY_POLICY: Final = ("--policy", str(default_policy_path()))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"action": "allow"}, 'action: is "allow", the policy gives "suspend"'),
        ({"review": True}, "review: is true, the policy gives false"),
        ({"reasons": []}, 'reasons: are [], the policy gives ["ownership-restricted"]'),
    ],
)
def test_with_the_policy_a_judgement_that_the_facts_do_not_give_is_refused(change: Json, what: str) -> None:
    lie = forged(DECISIONS[2], **change)
    assert verified(*DECISIONS[:2], lie).exit_code == 0
    result = verified(*DECISIONS[:2], lie, options=BY_POLICY)
    assert result.exit_code == 1
    assert f"-:3: decision {lie['decision_id']}: {what}" in result.stderr


@pytest.mark.parametrize("part", [{"message": "Because."}, {"evidence": {"ownership_control": "refuted"}}])
def test_with_the_policy_every_part_of_a_reason_is_compared(part: Json) -> None:
    (reason,) = DECISIONS[2]["reasons"]
    result = verified(*DECISIONS[:2], forged(DECISIONS[2], reasons=[{**reason, **part}]), options=BY_POLICY)
    assert result.exit_code == 1
    assert "reasons: ownership-restricted differs" in result.stderr


def test_with_the_policy_facts_of_another_version_are_refused() -> None:
    result = verified(*DECISIONS[:2], forged(DECISIONS[2], facts={}), options=BY_POLICY)
    assert result.exit_code == 1
    assert "facts: are of another version, which differs in anonymous, as_of, " in result.stderr


@pytest.mark.parametrize("coverage", ["much", "7", True])
def test_with_the_policy_facts_of_a_wrong_type_are_refused(coverage: object) -> None:
    facts = {**DECISIONS[1]["facts"], "coverage": coverage}
    result = verified(forged(DECISIONS[1], facts=facts), options=BY_POLICY)
    assert result.exit_code == 1
    assert "facts: coverage: Input should be a valid integer" in result.stderr


def test_another_policy_than_the_one_that_judged_is_an_error_that_says_so(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(default_policy_path().read_text().replace('version: "1"', 'version: "2"'))
    result = verified(*DECISIONS, options=("--policy", str(policy)))
    assert result.exit_code == 1
    assert f"judged by the policy with hash {DEFAULT_POLICY.hash}" in result.stderr
    assert "restricted-regions version 2, has hash " in result.stderr


def test_files_that_cannot_be_read_exit_with_2(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    result = cli.invoke(app, [str(absent)])
    assert (result.exit_code, result.stderr) == (2, f"{absent}: cannot be read: No such file or directory\n")
    assert verified(*DECISIONS, options=("--policy", str(absent))).exit_code == 2
