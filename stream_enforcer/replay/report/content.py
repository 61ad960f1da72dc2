"""What the page says beside the table of accounts, worked out from the summary."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any, Final

from stream_enforcer.replay.report.curves import by_day
from stream_enforcer.replay.report.policy_diff import policy_diff
from stream_enforcer.replay.report.wording import change, money, percent, short_money, told, visible, whole

Json = dict[str, Any]
_READINGS: Final = {"control": "control", "effective": "effective share", "single_owner": "best single owner"}
_GATES: Final = {
    "max_new_suspensions": ("Newly suspended accounts", "", "", 0),
    "max_cost": ("Monthly cost of newly suspended accounts", "$", "", 2),
    "max_percent": ("Share of accounts that is newly suspended", "", "\u00a0%", 4),
}
"""Words for a gate, what stands before and after its numbers, and the decimals of what was found."""


def content(summary: Mapping[str, Any]) -> Json:
    """Return what the template shows of a summary.

    Raises:
        ValueError: A day of `by_day` or of the period is no date.
    """
    suspended, cost = by_day(summary)
    gates = [_gate(gate) for gate in summary["gates"]]
    return {
        "run": summary["run"],
        "counts": summary,
        "facts": tuple(_headline(summary)),
        "lead": _lead(summary),
        "gates": gates,
        "failed": sum(not gate["passed"] for gate in gates),
        "suspended": suspended,
        "cost": cost,
        "groups": tuple(_groups(summary)),
        "diff": policy_diff(*(summary["run"][name]["policy_text"] for name in ("old", "new"))),
        "sides": [("Old", summary["run"]["old"]), ("New", summary["run"]["new"])],
    }


def _headline(summary: Mapping[str, Any]) -> Iterator[Json]:
    totals, accounts = summary["totals"], summary["accounts"]
    old, new = totals["old"], totals["new"]
    added, lifted = totals["new_suspensions"], totals["lifted_suspensions"]
    yield {
        "name": "Suspended",
        "old": whole(old["suspended"]),
        "value": whole(new["suspended"]),
        "note": f"{change(old['suspended'], new['suspended'])}; {percent(new['suspended'], accounts)} of "
        f"{whole(accounts)} accounts",
    }
    yield {
        "name": "Newly suspended",
        "value": whole(added),
        "note": f"{percent(added, accounts)} of accounts",
        "tone": "bad",
    }
    yield {
        "name": "Suspensions lifted",
        "value": whole(lifted),
        "note": f"{percent(lifted, old['suspended'])} of those suspended before",
        "tone": "good",
    }
    yield {
        "name": "Cost at stake per month",
        "value": short_money(totals["cost_at_stake_usd_micros_per_month"]),
        "note": "use of the newly suspended accounts",
        "tone": "bad",
    }
    yield {
        "name": "For review",
        "old": whole(old["reviews"]),
        "value": whole(new["reviews"]),
        "note": f"{change(old['reviews'], new['reviews'])}; a person should look",
    }
    yield {
        "name": "Other changes",
        "value": whole(totals["other_changes"]),
        "note": "in reviews or reasons; the action is the same",
    }


def _lead(summary: Mapping[str, Any]) -> str:
    totals = summary["totals"]
    added, lifted = totals["new_suspensions"], totals["lifted_suspensions"]
    if not added and not lifted:
        return (
            f"No account of {whole(summary['accounts'])} would be suspended, or served again, by the change."
        )
    accounts, cost = summary["accounts"], short_money(totals["cost_at_stake_usd_micros_per_month"])
    return (
        f"{whole(added)} {_accounts(added)} of {whole(accounts)} would be newly suspended "
        f"({percent(added, accounts)}), {whole(lifted)} {'suspension' if lifted == 1 else 'suspensions'} would be "
        f"lifted, and {cost} of use per month is at stake."
    )


def _accounts(count: int) -> str:
    return "account" if count == 1 else "accounts"


def _gate(gate: Mapping[str, Any]) -> Json:
    label, before, after, decimals = _GATES.get(gate["name"], (visible(gate["name"]), "", "", 6))
    return {
        "label": label,
        "limit": f"{before}{_number(gate['limit'], 6)}{after}",
        "value": f"{before}{_number(gate['value'], decimals)}{after}",
        "passed": gate["passed"],
    }


def _number(value: Any, decimals: int) -> str:
    """Write a number with commas and without the noughts at its end; what is none, as text.

    It is rounded up, so that what is over a limit is never shown as just at it.
    """
    try:
        number = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_CEILING)
    except InvalidOperation:  # no number, infinity, or more digits than Decimal keeps
        return told(value)
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _groups(summary: Mapping[str, Any]) -> Iterator[Json]:
    yield _group("rule", "By rule", "Rule", summary["by_rule"])
    yield _group("jurisdiction", "By jurisdiction", "Country", summary["by_jurisdiction"])
    yield _group("reading", "By reading of ownership", "Reading", summary["by_reading"])


def _group(key: str, title: str, head: str, rows: Sequence[Mapping[str, Any]]) -> Json:
    greatest = max((count for row in rows for count in (row["old"], row["new"])), default=0)
    return {
        "key": key,
        "title": title,
        "head": head,
        "rows": [
            {
                "name": row["name"],
                "label": _READINGS.get(row["name"], row["name"]) if key == "reading" else row["name"],
                "old": whole(row["old"]),
                "new": whole(row["new"]),
                "change": change(row["old"], row["new"]),
                "cost": money(row["cost_usd_micros_per_month"]),
                "old_bar": _share(row["old"], greatest),
                "new_bar": _share(row["new"], greatest),
            }
            for row in rows
        ],
    }


def _share(part: int, of: int) -> str:
    """Return the length of a bar in per cent of the longest."""
    return f"{100 * part / of:.1f}" if of else "0"
