"""Test a policy, or an integration, against the real task over a broker in memory: see docs/testing-your-policy.md."""

from stream_enforcer.testing.driver import EnforcerDriver, RawRecord
from stream_enforcer.testing.events import override, signup, usage
from stream_enforcer.testing.world import policy_world

__all__ = ["EnforcerDriver", "RawRecord", "override", "policy_world", "signup", "usage"]
