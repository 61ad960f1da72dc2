"""A decision in words, for those who have to answer for it and for those whom it concerns."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from stream_enforcer.cli.ownership_tree import percent, tree
from stream_enforcer.domain.cost import DAYS, Spent, latest_day, month

_ACTIONS: Final = {"allow": "allowed", "suspend": "suspended"}
_STYLES: Final = {"allow": "green", "review": "yellow", "suspend": "bold red"}
_TRIGGERS: Final = {
    "event": "an event",
    "override": "an override by two people",
    "reference": "new reference data",
    "policy": "a new policy",
    "expiry": "the end of an override",
    "brake": "the brake that holds suspensions back",
}
_SHARES: Final = frozenset({"coverage", "chain_coverage"})


def explanation(
    decision: Mapping[str, Any], spent: Spent | None, names: Mapping[str, str]
) -> Iterator[RenderableType]:
    """Explain a decision: what, when, why, who owns the company, judged by what, and its place in the chain.

    Args:
        decision: As published.
        spent: What the account spent; None where nothing is known of it.
        names: Name by entity id, for the ownership tree; an id without a name is shown as it is.
    """
    yield _verdict(decision)
    yield from _indented(_occasion(decision))
    if spent is not None:
        yield from _indented([_cost(spent)])
    yield from _section("Why", _reasons(decision["reasons"]))
    if decision["ownership"] is not None:
        yield from _section("Who owns the company", _ownership(decision["ownership"], names))
    yield from _section("Judged by", _judged_by(decision))
    yield from _section("This decision", _chain(decision))


def _section(title: str, lines: Iterable[RenderableType]) -> Iterator[RenderableType]:
    yield Text()
    yield Text(title, style="bold")
    yield from _indented(lines)


def _indented(lines: Iterable[RenderableType]) -> Iterator[RenderableType]:
    for line in lines:
        yield Text("  ").append_text(line) if isinstance(line, Text) else Padding(line, (0, 0, 0, 2))


def _verdict(decision: Mapping[str, Any]) -> Text:
    action = decision["action"]
    text = Text(f"Account {decision['account_id']} is ")
    text.append(_ACTIONS[action], style=_STYLES[action])
    if decision["review"]:
        text.append(", and ").append("a person should look at it", style=_STYLES["review"])
    return text.append(".")


def _occasion(decision: Mapping[str, Any]) -> Iterator[Text]:
    trigger = decision["trigger"]
    event = f"{trigger['event_id']} in " if trigger.get("event_id") else ""
    place = f"{event}topic {trigger['topic']}, partition {trigger['partition']}, offset {trigger['offset']}"
    yield Text(
        f"Decided at {_moment(decision['event_time'])}, because of {_TRIGGERS[trigger['kind']]} ({place})."
    )
    yield Text(_before(decision))
    if decision["policy"]["mode"] == "shadow":
        yield Text("The policy is in shadow mode: this is what it would do.", style="bold")


def _cost(spent: Spent) -> Text:
    latest = date(1970, 1, 1) + timedelta(days=latest_day(spent))
    return Text(
        f"Its use cost ${month(spent) / 1_000_000:,.2f} in the {DAYS} days up to {latest}, the latest with a cost."
    )


def _before(decision: Mapping[str, Any]) -> str:
    before = decision["previous_action"]
    if before is None:
        return "Nothing was decided before."
    return f"It was {_ACTIONS[before]} before{', too' if before == decision['action'] else ''}."


def _moment(rfc3339: str) -> str:
    return rfc3339.replace("T", " ").replace("Z", " UTC")


def _reasons(reasons: Iterable[Mapping[str, Any]]) -> Iterator[Text]:
    number = 0
    for number, reason in enumerate(reasons, start=1):
        outcome = reason["outcome"]
        yield Text(f"{number}. {reason['message']}")
        yield Text(f"   rule {reason['code']}: ").append(outcome, style=_STYLES[outcome])
        for name, value in reason["evidence"].items():
            yield Text(f"   {name.replace('_', ' ')}: {_value(name, value)}")
    if not number:
        yield Text("No rule of the policy matched.")


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    if isinstance(value, int) and (name in _SHARES or name.startswith("ownership_")):
        return percent(value)
    return str(value) or "none"


def _ownership(ownership: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[RenderableType]:
    over = "more than" if ownership.get("strict", True) else "at least"
    yield Text(f"Restricted holders may not have {over} {percent(ownership['threshold'])}.")
    yield from _match(ownership["match"], names)
    yield tree(ownership, names)
    if not ownership.get("proof_complete", True):
        yield Text("The proof is not complete: too many stakes take part.")


def _judged_by(decision: Mapping[str, Any]) -> Iterator[Text]:
    policy, reference = decision["policy"], decision["reference"]
    geo, ownership = reference["geo"], reference["ownership"]
    yield Text(f"policy {policy['id']}, version {policy['version']}, hash {policy['hash']}")
    built = "no country table" if geo["built_at"] is None else f"built {geo['built_at']}"
    yield Text(f"geo tables: {built}, hash {geo['hash']}")
    if ownership["hash"] is None:
        yield Text("ownership data: none")
    else:
        yield Text(f"ownership data: as of {ownership['as_of'] or 'no stated day'}, hash {ownership['hash']}")
    if decision["degraded"]:
        yield Text(f"missing, too old or cut short: {', '.join(decision['degraded'])}", style="yellow")


def _chain(decision: Mapping[str, Any]) -> Iterator[Text]:
    before = decision["supersedes"]
    yield Text(f"number {decision['sequence']} of this account")
    yield Text(f"id {decision['decision_id']}")
    yield Text("supersedes none" if before is None else f"supersedes {before}")
    yield Text(f"evidence hash {decision['evidence_hash']}")
    if decision["override_id"] is not None:
        yield Text(f"override in force: {decision['override_id']}")


def _match(match: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Text]:
    """Say how the company was found, where that was by its name, and who was next."""
    if match["kind"] != "name":
        return
    yield Text("The company was found by its name alone, so what is proved of it counts as possible.")
    why = ", ".join(feature.replace("-", " ") for feature in match["features"])
    following = match["runner_up"]
    after = "nothing else came near"
    if following is not None:
        other = names.get(following["entity"], following["entity"])
        after = f"next came {other}, with {following['score']}"
    yield Text(f"The names are alike by {match['score']} of 100 ({why}); {after}.")
