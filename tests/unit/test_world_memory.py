"""What a world remembers of its verdicts takes about as much memory as it says."""

import tracemalloc
from itertools import product
from string import ascii_uppercase

from stream_enforcer.domain.account import Evidence
from tests.builders import world

REMEMBERED = 500
MOST_BYTES = 8_192
COUNTRIES = ["".join(pair) for pair in product(ascii_uppercase, repeat=2)]


def test_a_verdict_that_is_remembered_takes_a_few_kilobytes() -> None:
    judging = world()
    judging.verdict(Evidence(clock=1), "allow")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(REMEMBERED):
        judging.verdict(Evidence(clock=1, declared=(COUNTRIES[number],)), "allow")
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < MOST_BYTES * REMEMBERED
