"""The options of `replay`."""

from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[EVENTS|-]...",
        help="Files of events; none reads the topics that the settings name.",
        show_default=False,
    ),
]
Ownership = Annotated[
    list[str] | None,
    typer.Option(
        "--ownership",
        metavar="[DAY=]FILE",
        help="Ownership data, and the day they are valid from; repeatable.",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="POLICY|decisions",
        help="The old side: another policy, or what was really decided.",
    ),
]
AgainstOwnership = Annotated[
    list[str] | None,
    typer.Option(
        "--against-ownership", metavar="[DAY=]FILE", help="Ownership data of the old side; repeatable."
    ),
]
DecisionFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--decisions", metavar="FILE", help="Published decisions; default: their topic. Repeatable."
    ),
]
From = Annotated[
    list[str] | None,
    typer.Option(
        "--from", metavar="TIME|TOPIC-P=OFFSET", help="Where to begin; default: with the first record."
    ),
]
To = Annotated[
    list[str] | None,
    typer.Option(
        "--to", metavar="TIME|TOPIC-P=OFFSET", help="Where to end; default: where the topics end now."
    ),
]
Part = Annotated[
    str, typer.Option("--part", metavar="I/N", help="Read the I-th of N parts of the partitions, from 0.")
]
Workers = Annotated[
    int, typer.Option("--workers", min=1, help="Share the partitions out to so many processes.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where an interrupted run with the same --out stood.")
]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the result goes.")]
EmitTo = Annotated[
    str | None,
    typer.Option(
        "--emit-to",
        metavar="TOPIC",
        help="Publish the decisions of the new side, too: to this topic, each once.",
    ),
]
Parquet = Annotated[
    Path | None, typer.Option("--parquet", metavar="FILE", help="Write the changed accounts as Parquet, too.")
]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write the result as one HTML page, too, for people."),
]
MaxNew = Annotated[
    int | None,
    typer.Option("--max-new-suspensions", min=0, help="Exit with 1 when more accounts are suspended."),
]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", min=0, help="…or when they cost more dollars a month together.")
]
MaxPercent = Annotated[
    float | None,
    typer.Option("--max-percent", min=0, max=100, help="…or when they are more per cent of all."),
]
ServeMetrics = Annotated[
    str | None,
    typer.Option("--metrics", metavar="HOST:PORT", help="Serve metrics there, on /metrics, while it reads."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
JsonCounts = Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")]
