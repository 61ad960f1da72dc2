"""What metrics cost stays within its bounds: an answer of 200 partitions in 50 ms, 3 % of the time of an event."""

import pytest
import uvloop

from benchmarks.metrics import answers, filled, share

pytestmark = pytest.mark.deploy


def test_metrics_of_two_hundred_partitions_are_answered_in_fifty_milliseconds() -> None:
    found = uvloop.run(answers(filled(200), 60))
    assert found["series"] > 1_500
    assert found["median_ms"] <= 50


def test_counting_takes_no_more_than_three_hundredths_of_an_event() -> None:
    assert share(60_000, 3)["share_percent"] <= 3
