"""The process that fake clients run in, and what can go wrong there on demand."""

import asyncio
from dataclasses import dataclass
from typing import Literal, NamedTuple

from aiokafka.errors import KafkaConnectionError

from stream_enforcer.kafka.fake.broker import Step

When = Literal["before", "after"]


class Fault(NamedTuple):
    """What is to go wrong next: `crash` ends the process there, else the client's call fails there."""

    step: Step
    when: When
    crash: bool


@dataclass(slots=True)
class Host:
    """The process that the clients run in.

    Attributes:
        fault: What goes wrong at the next such step; gone once it has.
        evicted: The group has given its partitions to another process, and it has not noticed.
        down: The process is dead: no call of its clients does anything or returns.
    """

    fault: Fault | None = None
    evicted: bool = False
    down: bool = False

    async def turn(self) -> None:
        """Give way once, as a request would; a dead process stays there."""
        if self.down:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0)
        if self.down:
            await asyncio.get_running_loop().create_future()

    async def reach(self, step: Step, when: When) -> None:
        """Come to a point where a fault may be due.

        Raises:
            KafkaConnectionError: The call fails here.
        """
        fault = self.fault
        if fault is None or (fault.step, fault.when) != (step, when):
            return
        self.fault = None
        if not fault.crash:
            raise KafkaConnectionError(f"{when} {step}, as asked for")
        self.down = True
        await self.turn()
