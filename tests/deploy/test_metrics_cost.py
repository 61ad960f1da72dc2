"""What metrics cost can be measured: the series of 200 partitions, and the share that counting takes of an event."""

import pytest
import uvloop

from benchmarks.metrics import answers, filled, share

pytestmark = pytest.mark.deploy


def test_the_series_of_two_hundred_partitions_are_answered() -> None:
    assert uvloop.run(answers(filled(200), 3))["series"] > 1_500


def test_the_share_that_counting_takes_of_an_event_is_found() -> None:
    assert share(6_000, 1)["share_percent"] < 100
