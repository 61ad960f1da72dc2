"""The three readings of all companies at once, over arrays. The verdicts are those of the domain's exact code.

Control and single owner are worked out in integers. Effective shares are enclosed between floats with an error that
is accounted for; where the threshold lies between the two, the domain's own code decides.
"""

from collections.abc import Mapping

import numpy as np

from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.snapshot.columns import Array
from stream_enforcer.snapshot.readings.control import control_shares
from stream_enforcer.snapshot.readings.effective import effective_passes
from stream_enforcer.snapshot.readings.exact import Decided
from stream_enforcer.snapshot.readings.network import Network, Passes, network
from stream_enforcer.snapshot.readings.single_owner import single_owner_passes


def verdicts(columns: Mapping[str, Array], on: int, question: Question, exceptions: Array) -> Array:
    """Return the verdicts of every entity, as in the section `entity_verdict`.

    Two bits each, the lowest for control, then effective, then single owner: 0 refuted, 1 possible, 2 proved, and 3
    not worked out, because it would take too long.

    Args:
        columns: Numeric sections of a snapshot, by name.
        on: The day's number.
        question: Who is restricted, and the threshold.
        exceptions: The numbers of the entities that the question excepts.
    """
    held = network(columns, on, question, exceptions)
    passes = Passes(question.threshold, question.strict)
    entities = len(columns["entity_type"])
    bits = np.zeros(entities, "<u1")
    readings = zip(_readings(held, passes, least=True), _readings(held, passes, least=False), strict=True)
    for shift, (least, greatest) in zip((0, 2, 4), readings, strict=True):
        bits += _verdict(least, greatest)[:entities] << np.uint8(shift)
    return bits


def _readings(held: Network, passes: Passes, *, least: bool) -> tuple[Decided, Decided, Decided]:
    shares = held.shares(least=least)
    control = passes(control_shares(held, shares, passes))
    single = single_owner_passes(held, shares, passes, control)
    return (
        Decided(control, np.zeros(len(control), bool)),
        effective_passes(held, passes, least=least),
        single,
    )


def _verdict(least: Decided, greatest: Decided) -> Array:
    """Return the verdicts of one reading. What one end decides does not need the other."""
    verdict = least.passing.astype("<u1") + greatest.passing
    refuted = ~greatest.passing & ~greatest.too_costly
    verdict[least.passing] = 2
    verdict[(least.too_costly | greatest.too_costly) & ~least.passing & ~refuted] = 3
    return verdict
