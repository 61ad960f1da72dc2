"""With the policy at hand, ownership has to be the answer to that policy's question."""

from pathlib import Path

import pytest

from stream_enforcer.domain.policy import Policy
from stream_enforcer.reference.policy_file import default_policy_path, load_policy
from stream_enforcer.replay.consistency import canonical
from stream_enforcer.replay.event_files import Line
from stream_enforcer.replay.verification import verify_decisions
from tests.builders import DEFAULT_POLICY, Json
from tests.unit.test_consistency import DECIDED, OWNERSHIP_SHOWN, forged


def fault(decision: Json, policy: Policy | None) -> str | None:
    failure = verify_decisions([Line(1, canonical(decision), True)], policy, partial=False).failure
    return None if failure is None else failure.what


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"threshold": 50_000_001}, "ownership: the threshold is not the policy's"),
        ({"strict": False}, "ownership: the threshold is not the policy's"),
        (
            {"proof": [edge | {"country": "FR"} for edge in OWNERSHIP_SHOWN["proof"]]},
            "ownership: cn-holding of FR is no restricted holder of the policy",
        ),
    ],
)
def test_ownership_that_answers_another_question_is_refused(change: Json, what: str) -> None:
    lie = forged(DECIDED, ownership=OWNERSHIP_SHOWN | change)
    assert fault(lie, None) is None
    assert fault(lie, DEFAULT_POLICY) == what


def test_an_exception_is_no_restricted_holder(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    text = default_policy_path().read_text(encoding="utf-8")
    path.write_text(
        text.replace("\nownership:\n", "\nownership:\n  exceptions: [cn-holding]\n"), encoding="utf-8"
    )
    policy = load_policy(path)
    lie = forged(DECIDED, policy=DECIDED["policy"] | {"hash": policy.hash})
    assert fault(lie, policy) == "ownership: cn-holding of CN is no restricted holder of the policy"
