"""Tells when a partition gives nothing more although the position has not come to its end."""

from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

ANSWERS: Final = 3


class CleanedTail:
    """The cleaner may have removed the records before the end: the position then never comes to it.

    A poll that brings nothing says nothing: the broker may be slow, and who takes that for the end forgets what was
    to come. What counts is that the broker answered several times, with nothing, and that it knows of the end.
    """

    def __init__(self, reader: AIOKafkaConsumer, tp: TopicPartition, end: int) -> None:
        self._reader = reader
        self._tp = tp
        self._end = end
        self._position = -1
        self._answered: int | None = None
        self._answers = 0

    def reached(self, position: int) -> bool:
        """Tell whether nothing more comes; to be asked after each poll.

        Args:
            position: The reader's position after the poll.
        """
        answered = self._reader.last_poll_timestamp(self._tp)
        if position != self._position:
            self._position, self._answers = position, 0
        elif answered != self._answered:
            self._answers += 1
        self._answered = answered
        stable = self._reader.last_stable_offset(self._tp)
        return self._answers >= ANSWERS and stable is not None and stable >= self._end
