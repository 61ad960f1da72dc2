"""What earlier versions wrote is read by this one: bytes as they were written, kept for every format."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson
import pytest

from stream_enforcer.domain import cost
from stream_enforcer.domain.account import NEW, Account, DatedClaim, Evidence, HeldOverride, Sighting
from stream_enforcer.domain.account_state import FORMAT, UnknownFormat, decode, encode
from stream_enforcer.domain.ownership.resolve import Claim
from stream_enforcer.kafka import changelog
from stream_enforcer.kafka.changelog import ChangelogUnreadable, Checkpoint, Sweep, WorldId

RECORDED: Final = Path(__file__).parents[1] / "formats"

SEEN: Final = Account(
    Evidence(
        clock=20_520,
        signup=(Sighting("", "tor", (20_513,)), Sighting("CN", "residential", (20_513, 20_514))),
        usage=(
            Sighting("KP", "unknown", tuple(range(20_513, 20_520))),
            Sighting("US", "hosting", (20_513,)),
            Sighting("US", "vpn", (20_520,)),
        ),
        declared=("CN", "US"),
        billing=("DE",),
        phone=("KP",),
    ),
    standing="suspend",
    sequence=3,
    decision_id="3f" * 32,
    action="suspend",
    codes=("usage-from-restricted-region", "declared-country-restricted"),
)
CLAIMING: Final = Account(
    Evidence(
        clock=20_514,
        domains=("a.example", "b.example"),
        claims=(
            DatedClaim(1_772_323_200_000, "e1", Claim(name='"Łódź" \u4e2d\u56fd \U0001f600\\')),
            DatedClaim(1_772_323_200_000, "e2", Claim("All", "SG", "LEI", "7", "KY", "all.example")),
        ),
        claimed=("IR", "KY", "SG"),
        overflowed=True,
    ),
    sequence=1,
    decision_id="a0" * 32,
    action="allow",
    review=True,
    codes=("possible-ownership",),
)
OVERRIDDEN: Final = Account(
    Evidence(
        clock=20_515,
        override=HeldOverride(
            1_772_409_600_000,
            "e3",
            "o1",
            "allow",
            1_775_000_000_000,
            ("headquarters-restricted", "seen-in-restricted-region"),
            "0f" * 32,
        ),
    ),
    standing="suspend",
    sequence=9_007_199_254_740_991,
    decision_id="b1" * 32,
    action="allow",
    codes=("override", "headquarters-restricted"),
)
LIFTED: Final = Account(
    Evidence(clock=20_516, override=HeldOverride(1_772_496_000_000, "e4", "o2", "none", None, None, None)),
    sequence=2,
    decision_id="c2" * 32,
    action="allow",
)
ACCOUNTS: Final[Mapping[int, tuple[Account, ...]]] = {1: (NEW, SEEN, CLAIMING, OVERRIDDEN, LIFTED)}
"""What the recorded states of each format are to be read as."""

WORLD: Final = WorldId("d3" * 32, "e4" * 32)
CHECKPOINTS: Final[Mapping[int, tuple[Checkpoint, ...]]] = {
    1: (
        Checkpoint({}, 1, WORLD),
        Checkpoint({"signups": 0, "usage": 9_223_372_036_854_775_806}, 10_000, WORLD),
        Checkpoint({"usage": 7}, 4, WORLD, Sweep(WorldId("f5" * 32, "06" * 32), "acct \u4e2d")),
    )
}


COSTS: Final[Mapping[int, tuple[tuple[tuple[tuple[int, int], ...], int], ...]]] = {
    1: (
        (((20_780, 3_000_000),), 3_000_000),
        (((20_751, 340282366920938463463), (20_780, 0), (20_779, 12)), 340282366920938463475),
    )
}


def spent_in(uses: tuple[tuple[int, int], ...]) -> bytes | None:
    spent = None
    for day, micros in uses:
        spent = cost.spend(spent, day, micros)
    return spent


def recorded(name: str) -> list[bytes]:
    return (RECORDED / f"{name}.jsonl").read_bytes().splitlines()


@pytest.mark.parametrize("number", ACCOUNTS)
def test_states_of_every_format_are_read_as_what_they_were(number: int) -> None:
    assert [decode(value) for value in recorded(f"account-{number}")] == list(ACCOUNTS[number])


@pytest.mark.parametrize("number", CHECKPOINTS)
def test_checkpoints_of_every_format_are_read_as_what_they_were(number: int) -> None:
    assert [Checkpoint.decode(value) for value in recorded(f"checkpoint-{number}")] == list(
        CHECKPOINTS[number]
    )


@pytest.mark.parametrize("number", COSTS)
def test_costs_of_every_format_are_read_as_what_they_were(number: int) -> None:
    assert [cost.month(cost.checked(value)) for value in recorded(f"cost-{number}")] == [
        month for _, month in COSTS[number]
    ]


def test_what_is_written_is_the_newest_recorded_format() -> None:
    assert max(ACCOUNTS) == FORMAT
    assert [encode(account) for account in ACCOUNTS[FORMAT]] == recorded(f"account-{FORMAT}")
    assert max(COSTS) == cost.FORMAT
    assert [spent_in(uses) for uses, _ in COSTS[cost.FORMAT]] == recorded(f"cost-{cost.FORMAT}")
    assert max(CHECKPOINTS) == changelog.FORMAT
    written = [checkpoint.encode() for checkpoint in CHECKPOINTS[changelog.FORMAT]]
    assert written == recorded(f"checkpoint-{changelog.FORMAT}")


def test_no_recorded_format_is_left_out() -> None:
    kept = {path.stem for path in RECORDED.iterdir()}
    known = {"account": ACCOUNTS, "checkpoint": CHECKPOINTS, "cost": COSTS}
    assert kept == {f"{name}-{number}" for name, numbers in known.items() for number in numbers}
    assert set(ACCOUNTS) == set(range(1, FORMAT + 1))


def test_the_recorded_accounts_have_everything_that_an_account_can_have() -> None:
    every = ACCOUNTS[FORMAT]
    for part in Evidence.__slots__:
        assert any(getattr(account.evidence, part) != getattr(NEW.evidence, part) for account in every), part
    for part in Account.__slots__:
        assert any(getattr(account, part) != getattr(NEW, part) for account in every), part


@pytest.mark.parametrize(
    "value",
    [b"", b"[", b"[1,", b"[1,2]", b"{}", b"\x00", b"[1.0,2]", b"[true,2]", b"[1," + b"[" * 5_000, b"[-1,2]"],
)
def test_what_is_no_state_is_refused_and_not_shown(value: bytes) -> None:
    with pytest.raises(UnknownFormat, match="account state"):
        decode(value)


@pytest.mark.parametrize("place", range(4))
def test_a_state_that_is_not_what_its_format_says_is_refused(place: int) -> None:
    state = orjson.loads(encode(OVERRIDDEN))
    state[place] = "secret account"
    with pytest.raises(UnknownFormat) as refused:
        decode(orjson.dumps(state))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "value", [b"", b"[2,{},1]", b"[1,{}]", b'[1,{"usage":-1},1,["p","r"],null]', b"0", b"#"]
)
def test_what_is_no_checkpoint_is_refused(value: bytes) -> None:
    with pytest.raises(ChangelogUnreadable, match="checkpoint"):
        Checkpoint.decode(value)
