"""Says which right Kafka denies this service: in the log once, and to the probes for as long as it lasts."""

import time
from typing import Final

import structlog

from stream_enforcer.kafka.access import lacking
from stream_enforcer.observe.health import Health
from stream_enforcer.settings import Settings

log = structlog.get_logger(__name__)

LASTS_SECONDS: Final = 10.0
"""A denial that was not met again for so long is over. Kafka says no when asked, and never says yes."""
SAID_AGAIN_SECONDS: Final = 60.0


class Denials:
    """What the service's loop was denied; what a partition was denied stands with the partition."""

    def __init__(self, settings: Settings, health: Health) -> None:
        self._settings = settings
        self._health = health
        self._met_at = 0.0
        self._said_at = 0.0

    def met(self, error: BaseException) -> bool:
        """Take note of an error and tell whether it is a denial."""
        lacks = lacking(error, self._settings)
        if lacks is None:
            return False
        now = time.monotonic()
        if lacks != self._health.kafka_denial or now - self._said_at >= SAID_AGAIN_SECONDS:
            log.error("Kafka denies this service a right; trying again", reason=lacks)
            self._said_at = now
        self._health.kafka_denial, self._met_at = lacks, now
        return True

    def passed(self) -> None:
        """Take note that Kafka was asked and denied nothing."""
        if self._health.kafka_denial is not None and time.monotonic() - self._met_at > LASTS_SECONDS:
            log.warning("Kafka denies nothing any more", reason=self._health.kafka_denial)
            self._health.kafka_denial = None
