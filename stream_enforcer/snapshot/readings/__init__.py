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
from stream_enforcer.snapshot.readings.network import Network, Passes, network
from stream_enforcer.snapshot.readings.single_owner import single_owner_passes


def verdicts(columns: Mapping[str, Array], on: int, question: Question, exceptions: Array) -> Array:
    """Return the verdicts of every entity, as in the section `entity_verdict`.

    Two bits each, the lowest for control, then effective, then single owner: 0 refuted, 1 possible, 2 proved.

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
    for least in (True, False):
        for shift, passed in zip((0, 2, 4), _readings(held, passes, least=least), strict=True):
            bits += passed[:entities].astype("<u1") << np.uint8(shift)
    return bits


def _readings(held: Network, passes: Passes, *, least: bool) -> tuple[Array, Array, Array]:
    shares = held.shares(least=least)
    control = passes(control_shares(held, shares, passes))
    single = single_owner_passes(held, shares, passes, control)
    return control, effective_passes(held, passes, least=least), single
