"""The result of a replay as one HTML file that needs nothing else: no network, no server, no other file."""

from stream_enforcer.replay.report.page import report

__all__ = ["report"]
