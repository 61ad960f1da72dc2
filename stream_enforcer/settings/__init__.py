"""Settings of the service: one frozen value, read once and passed down."""

from stream_enforcer.settings.load import CONFIG_VARIABLE, load
from stream_enforcer.settings.model import Http, Kafka, Poison, Settings, Topics
from stream_enforcer.settings.problems import BadSettings, Problem
from stream_enforcer.settings.rows import PREFIX, SettingRow, describe
from stream_enforcer.settings.security import kafka_security

__all__ = [
    "CONFIG_VARIABLE",
    "PREFIX",
    "BadSettings",
    "Http",
    "Kafka",
    "Poison",
    "Problem",
    "SettingRow",
    "Settings",
    "Topics",
    "describe",
    "kafka_security",
    "load",
]
