"""The law of every decoder: spoiled input gives a value or the decoder's own error, in bounded time."""

import itertools
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.limit import TookTooLong, within
from tests.fuzz.mutation import spoiled
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS

SECONDS = 5.0
"""Processor time for one input; the slowest of these takes a tenth of it."""
SLOW = ("policy", "settings")
"""Read by a YAML parser in Python."""


def test_every_decoder_has_seeds() -> None:
    assert SEEDS.keys() == TARGETS.keys()
    assert all(SEEDS.values())


@pytest.mark.parametrize("name", TARGETS)
def test_a_decoder_takes_what_it_is_for(name: str) -> None:
    for seed in SEEDS[name]:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_no_spoiled_input_breaks_a_decoder(name: str) -> None:
    @settings(max_examples=25 if name in SLOW else 100)
    @given(st.sampled_from(SEEDS[name]), st.integers(0, 2**64))
    def law(seed: bytes, number: int) -> None:
        with within(SECONDS):
            TARGETS[name](spoiled(seed, Random(number)))

    law()


@pytest.mark.parametrize("name", TARGETS)
@given(content=st.binary(max_size=2_000))
@settings(max_examples=20)
def test_no_bytes_break_a_decoder(name: str, content: bytes) -> None:
    with within(SECONDS):
        TARGETS[name](content)


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(TookTooLong), within(0.05):
        for _ in itertools.count():
            pass


def test_the_spoiled_input_is_as_odd_as_it_should_be() -> None:
    spoiled_events = [spoiled(SEEDS["events"][0], Random(number)) for number in range(1_000)]
    for token in (b"1e400", b"NaN", b"\\ud800", b"[" * 200, b"9" * 5_000):
        assert any(token in content for content in spoiled_events)
