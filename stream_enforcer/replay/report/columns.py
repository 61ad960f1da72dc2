"""The rows of the account table, packed for the page: columns of numbers that point into lists of what repeats."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from stream_enforcer.replay.report.holdings import Holdings
from stream_enforcer.replay.report.strings import NONE, Distinct, Strings
from stream_enforcer.replay.report.wording import milliseconds, told, visible

Json = dict[str, Any]
LONGEST_ID: Final = 256
_ACTIONS: Final = (None, "allow", "suspend")
_KINDS: Final = ("suspended", "lifted", "review", "cleared", "other")


def kind_of(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Name a change: newly suspended, lifted, newly for review, no longer for review, or another."""
    was, becomes = old["action"] == "suspend", new["action"] == "suspend"
    if was != becomes:
        return "suspended" if becomes else "lifted"
    if old["review"] != new["review"]:
        return "review" if new["review"] else "cleared"
    return "other"


class Columns:
    """Takes rows one by one, and gives the table as JSON.

    Times are milliseconds after the earliest one, which are shorter than dates.
    """

    def __init__(self) -> None:
        """Begin without rows."""
        self._strings = Strings()
        self._holdings = Holdings(self._strings)
        self._outcomes = Distinct()
        self._facts = Distinct()
        self._columns: dict[str, list[Any]] = {
            name: []
            for name in (
                *("account", "kind", "old", "new", "oldSince", "newSince", "first"),
                *("fact", "jurisdiction", "reading", "cost", "ownership"),
            )
        }

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row of `changes.jsonl`.

        Raises:
            ValueError: A time of it is none; the message names the row and the field.
        """
        place = f"row {len(self._columns['account']) + 1}"
        old, new, fact = row["old"], row["new"], row["fact"]
        packed = {
            "account": visible(row["account_id"], LONGEST_ID),
            "kind": _KINDS.index(kind_of(old, new)),
            "old": self._outcome(old),
            "new": self._outcome(new),
            "oldSince": _instant(old["since"], f"{place}: old.since"),
            "newSince": _instant(new["since"], f"{place}: new.since"),
            "first": _instant(row["first_difference"], f"{place}: first_difference"),
            "fact": NONE if fact is None else self._facts.place((visible(fact["name"]), told(fact["value"]))),
            "jurisdiction": self._strings.place(row["jurisdiction"]),
            "reading": self._strings.place(row["reading"]),
            "cost": row["cost_usd_micros_per_month"],
            "ownership": self._holdings.place(row["ownership"], row["names"]),
        }
        for name, value in packed.items():
            self._columns[name].append(value)

    def _outcome(self, side: Mapping[str, Any]) -> int:
        reasons = tuple(self._strings.place(code) for code in side["reasons"])
        return self._outcomes.place((_ACTIONS.index(side["action"]), int(side["review"]), reasons))

    def to_json(self) -> Json:
        """Return the table; a place of -1, and a time of null, say that there is none."""
        times = [self._columns[name] for name in ("oldSince", "newSince", "first")]
        earliest = min((at for column in times for at in column if at is not None), default=0)
        since = {
            name: [None if at is None else at - earliest for at in self._columns[name]]
            for name in ("oldSince", "newSince", "first")
        }
        return {
            "earliest": earliest,
            "columns": {**self._columns, **since},
            "kinds": _KINDS,
            "actions": _ACTIONS,
            "outcomes": self._outcomes.items,
            "facts": self._facts.items,
            **self._holdings.to_json(),
            "strings": self._strings.items,
        }


def packed(rows: Iterable[Mapping[str, Any]]) -> Json:
    """Pack rows, in their order."""
    columns = Columns()
    for row in rows:
        columns.add(row)
    return columns.to_json()


def _instant(instant: str | None, place: str) -> int | None:
    return None if instant is None else milliseconds(instant, place)
