"""The watch over growing chains sees a gap, a repeat and a wrong link."""

import pytest

from tests.broker.faults.chains import Chains
from tests.builders import Json


def chain(*sequences: int) -> list[Json]:
    """Give decisions of one account whose links fit the sequence numbers."""
    return [
        {
            "account_id": "a",
            "decision_id": f"d{n}",
            "sequence": n,
            "action": "allow",
            "review": False,
            "reasons": [],
            "supersedes": f"d{n - 1}" if n > 1 else None,
            "previous_action": "allow" if n > 1 else None,
        }
        for n in sequences
    ]


def seen(decisions: list[Json]) -> Chains:
    chains = Chains()
    for decision in decisions:
        chains.see(decision)
    return chains


def test_a_chain_without_fault_is_whole() -> None:
    assert seen(chain(1, 2, 3)).whole


@pytest.mark.parametrize(
    ("sequences", "lost", "repeated"),
    [((1, 2, 5), 2, 0), ((2,), 1, 0), ((1, 2, 2), 0, 1), ((1, 2, 1, 2, 3), 0, 2)],
)
def test_gaps_and_repeats_are_counted(sequences: tuple[int, ...], lost: int, repeated: int) -> None:
    chains = seen(chain(*sequences))
    assert (chains.lost, chains.repeated) == (lost, repeated)
    assert not chains.whole


@pytest.mark.parametrize("link", [{"supersedes": "other"}, {"previous_action": "suspend"}])
def test_a_link_to_another_decision_is_seen(link: Json) -> None:
    first, second = chain(1, 2)
    assert not seen([first, {**second, **link}]).whole
