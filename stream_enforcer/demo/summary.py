"""The demo's last page: what was counted and measured, one suspension explained, what is real."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_STYLES: Final = {"allow": "green", "review": "yellow", "suspend": "bold red"}
_OWNERSHIP: Final = frozenset(
    {"headquarters-restricted", "ownership-restricted", "ownership-possible", "listed-entity"}
)
_GEOGRAPHY: Final = frozenset(
    {
        "declared-country-restricted",
        "signup-from-restricted-region",
        "usage-from-restricted-region",
        "seen-in-restricted-region",
        "phone-country-restricted",
        "anonymous-network",
    }
)
_ADDRESSES: Final = (
    "the IP addresses and their countries: allocations of the five regional internet registries, tables"
    " built {built} (credit nro.net, CC BY 4.0; ip-location-db, CC0); they contain errors, so good for a demo"
)
_REAL: Final = (
    _ADDRESSES,
    "the cloud networks: ranges that six cloud providers publish as their own",
    "{broker}, its topics and transactions, and the replicas: `stream-enforcer run` processes",
)
_ASSEMBLED: Final = (
    "the companies, their owners and lists: invented, in an ownership file of the native format",
    "the accounts and their events: generated, the same at every run; ten stories of which most end in allow",
)


@dataclass(frozen=True, slots=True)
class Latency:
    """Time from sending an event to reading its committed decision, at a steady rate.

    Attributes:
        rate: Events per second.
        events: Number of events measured.
        p50, p99, longest: In seconds.
    """

    rate: int
    events: int
    p50: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class ReplicaFigures:
    """A replica: its partitions, what it judged, and where its metrics are."""

    name: str
    partitions: tuple[int, ...]
    judged: int
    metrics: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run counted and measured.

    Attributes:
        sent: Records by role: signups, usage, overrides.
        flood: How many of them were sent as fast as it goes.
        flood_seconds: From the first of these sent to the last one committed.
        cores: Cores that feeder, broker and replicas shared.
        latency: Measured on the others.
        accounts: Accounts with a decision.
        suspended: Accounts whose last decision is to suspend.
        by_action: Decisions by action.
        by_reason: Decisions by outcome and reason; see `Watch`.
        dead_letters: Records that could not be read.
        replicas: The replicas.
        shown: The decision to explain; None where there is none.
    """

    sent: Mapping[str, int]
    flood: int
    flood_seconds: float
    cores: int
    latency: Latency
    accounts: int
    suspended: int
    by_action: Mapping[str, int]
    by_reason: Mapping[tuple[str, str], int]
    dead_letters: int
    replicas: Sequence[ReplicaFigures]
    shown: Mapping[str, Any] | None


def milliseconds(seconds: float) -> str:
    """Write a time in milliseconds."""
    return f"{seconds * 1000:,.0f} ms"


def numbers(values: Sequence[int]) -> str:
    """Write numbers with commas between; "none" where there are none."""
    return ", ".join(map(str, values)) or "none"


def because_of(code: str) -> str:
    """Say what a reason of the packaged policy looks at: "ownership", "geography", or nothing of the two."""
    if code in _OWNERSHIP:
        return "ownership"
    return "geography" if code in _GEOGRAPHY else ""


def reasons_table(by_reason: Mapping[tuple[str, str], int]) -> Table:
    """Draw decisions by outcome and reason: suspensions first, then reviews; the most frequent first."""
    table = Table("decision", "because of", "reason", box=None, padding=(0, 2, 0, 0))
    table.add_column("count", justify="right")
    order = [*reversed(_STYLES)]
    for (outcome, code), count in sorted(
        by_reason.items(), key=lambda row: (order.index(row[0][0]), -row[1])
    ):
        name = "allow, review" if outcome == "review" else outcome
        table.add_row(Text(name, style=_STYLES[outcome]), because_of(code), code, f"{count:,}")
    return table


def summary(figures: Figures, explained: RenderableType, broker: str) -> Iterator[RenderableType]:
    """Write the last page.

    Args:
        figures: What was measured.
        explained: The shown decision's ownership as a tree.
        broker: What the broker is, in words.
    """
    yield Text("\nSummary", style="bold")
    yield _indented(_counts(figures))
    yield Text("\nDecisions by reason (one with two reasons counts for both)", style="bold")
    yield _indented(reasons_table(figures.by_reason))
    yield Text("\nOne suspension, explained", style="bold")
    yield _indented(_verdict(figures.shown))
    yield _indented(explained)
    yield Text("\nWhat is real, and what is assembled", style="bold")
    yield _indented(_honesty(figures.shown, broker))


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)


def _counts(figures: Figures) -> Table:
    latency, sent = figures.latency, figures.sent
    rate = figures.flood / figures.flood_seconds
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    by_role = ", ".join(f"{count:,} {role}" for role, count in sent.items())
    table.add_row("events", f"{sum(sent.values()):,}: {by_role}")
    table.add_row("", f"{figures.dead_letters:,} of them malformed on purpose, now dead letters")
    by_action = ", ".join(f"{count:,} {action}" for action, count in sorted(figures.by_action.items()))
    table.add_row("decisions", f"{sum(figures.by_action.values()):,}: {by_action}")
    table.add_row("", f"no gap and no repeat in the chains of {figures.accounts:,} accounts")
    table.add_row("accounts", f"{figures.suspended:,} of {figures.accounts:,} are suspended now")
    table.add_row("throughput", f"{rate:,.0f} events/s")
    table.add_row(
        "",
        f"{figures.flood:,} events in {figures.flood_seconds:.1f} s, first sent to last committed;"
        f" feeder, broker and replicas share {figures.cores} cores",
    )
    table.add_row(
        "latency",
        f"p50 {milliseconds(latency.p50)}, p99 {milliseconds(latency.p99)},"
        f" longest {milliseconds(latency.longest)}, event to decision",
    )
    table.add_row(
        "",
        f"{latency.events:,} signups at a steady {latency.rate:,}/s, sent to read by a read_committed reader;"
        " under the flood it would measure the backlog",
    )
    for each in figures.replicas:
        table.add_row(
            each.name, f"partitions {numbers(each.partitions)}, {each.judged:,} events, {each.metrics}"
        )
    return table


def _verdict(shown: Mapping[str, Any] | None) -> Text:
    if shown is None:
        return Text("The account that was to be shown has no decision.")
    text = Text(f"Account {shown['account_id']}: ").append(shown["action"], style=_STYLES[shown["action"]])
    for reason in shown["reasons"]:
        text.append(f"\n{reason['code']}: {reason['message']}")
    return text


def _honesty(shown: Mapping[str, Any] | None, broker: str) -> Table:
    built = shown["reference"]["geo"]["built_at"] if shown else "lately"
    table = Table.grid(padding=(0, 2))
    for title, lines in (("real", _REAL), ("assembled", _ASSEMBLED)):
        for number, line in enumerate(lines):
            table.add_row(title if number == 0 else "", line.format(built=built, broker=broker))
    return table
