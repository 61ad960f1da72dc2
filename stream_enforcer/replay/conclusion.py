"""From a trial to what differs: where every account ends, counted, with the accounts that end differently."""

from collections.abc import Callable, Iterator

from stream_enforcer.domain.cost import month
from stream_enforcer.domain.grounds import NONE, grounds_of
from stream_enforcer.replay.outcome import Ended, Json, Stand, Totals
from stream_enforcer.replay.trial import Tracked, Trial

Other = Callable[[str], Stand]
"""Where an account stands for the old side, by its id."""


def conclude(trial: Trial, published: Other | None) -> tuple[Totals, list[Json]]:
    """Count all accounts, and return the rows of those that end differently, by account id.

    Args:
        trial: A trial of one side, the new one, where `published` says the old one, else of two: old and new.
        published: Where accounts stand by what was published.
    """
    totals, rows = Totals(), list[tuple[str, Json]]()
    for ended in _ended(trial, published):
        totals.add(ended)
        if ended.changed:
            rows.append((ended.account, ended.to_json(trial.names)))
    rows.sort(key=lambda row: row[0])
    return totals, [row for _, row in rows]


def _ended(trial: Trial, published: Other | None) -> Iterator[Ended]:
    for key, tracked in trial.accounts.items():
        account = key.decode()
        new = tracked.told[-1]
        old = Stand(tracked.told[0], NONE) if published is None else published(account)
        telling = "suspend" in (old.told.action, new.action) or old.says() != Stand(new, NONE).says()
        if telling and published is None:
            old = _stand(trial, tracked, 0)
        stand = _stand(trial, tracked, -1) if telling else Stand(new, NONE)
        yield Ended(account, old, stand, month(tracked.spent))


def _stand(trial: Trial, tracked: Tracked, side: int) -> Stand:
    told = tracked.told[side]
    return Stand(told, grounds_of(trial.verdict(tracked, side), trial.restricted(side)))
