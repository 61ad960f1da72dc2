"""The topics' settings follow from how many copies they have."""

import pytest

from stream_enforcer.kafka.topics import plan
from stream_enforcer.settings import Topics

INPUTS = {"signups", "usage", "overrides", "ownership"}
OUTPUTS = {"decisions", "enforcer-accounts", "dead-letters"}


@pytest.mark.parametrize(("replication", "safe"), [(1, set()), (2, set()), (3, OUTPUTS), (5, OUTPUTS)])
def test_what_the_service_writes_needs_two_brokers_where_it_has_three_copies(
    replication: int, safe: set[str]
) -> None:
    planned = plan(Topics(replication=replication))
    assert {t.name for t in planned} == INPUTS | OUTPUTS
    assert {t.name for t in planned if t.config.get("min.insync.replicas") == "2"} == safe
    assert {t.name for t in planned if "min.insync.replicas" in t.config} == safe


def test_the_accounts_topic_stays_compacted_with_any_number_of_copies() -> None:
    for replication in (1, 3):
        config = {t.name: t.config for t in plan(Topics(replication=replication))}["enforcer-accounts"]
        assert config["cleanup.policy"] == "compact"
