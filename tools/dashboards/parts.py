"""What the dashboards are made of: queries, panels of three kinds, variables, and a board that holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NamedTuple, TypeVar

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

P = TypeVar("P", stat.Panel, timeseries.Panel, table.Panel)

SCOPE: Final = 'namespace=~"$namespace", job=~"$job"'
"""Selects the service that the variables at the top name."""
OURS: Final = "* on (job, namespace, instance, pod) group_left () stream_enforcer_build_info{" + SCOPE + "}"
"""Keeps the metrics of a process where the process is one of ours."""
WIDTH: Final = 24
TALL, LOW = 8, 4


class Query(NamedTuple):
    """What a panel asks, and what it calls each series."""

    expr: str
    legend: str


class Step(NamedTuple):
    """From which value on a panel is of a colour."""

    above: float | None
    colour: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One panel.

    Attributes:
        title: At most a few words.
        meaning: What it shows, and what to look for.
        unit: Grafana's name of the unit.
        queries: What it asks.
        runbook: The page that says what to do when it looks bad.
        steps: Thresholds.
        stacked: Whether the series add up.
    """

    title: str
    meaning: str
    unit: str
    queries: Sequence[Query]
    runbook: str | None = None
    steps: Sequence[Step] = ()
    stacked: bool = False


def or_none(expr: str, label: str) -> str:
    """Return a query that shows a zero named "none" where there is nothing to show, as is well."""
    return f'{expr} or label_replace(vector(0), "{label}", "none", "", "")'


def worse_above(warning: float, critical: float) -> tuple[Step, ...]:
    """Return thresholds of a value that is better the smaller it is."""
    return Step(None, "green"), Step(warning, "orange"), Step(critical, "red")


def better_above(enough: float) -> tuple[Step, ...]:
    """Return thresholds of a value that has to reach something."""
    return Step(None, "red"), Step(enough, "green")


def figure(shown: Shown) -> stat.Panel:
    """Return a panel that shows one number, with its course behind it."""
    panel = _dressed(stat.Panel(), shown).height(LOW).span(3)
    panel.graph_mode(common.BigValueGraphMode.AREA).color_mode(common.BigValueColorMode.VALUE)
    return panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))


def graph(shown: Shown, span: int = 12) -> timeseries.Panel:
    """Return a panel that shows the course of one or more series."""
    panel = _dressed(timeseries.Panel(), shown).height(TALL).span(span)
    panel.line_width(1).fill_opacity(20 if shown.stacked else 5).min(0)
    panel.legend(
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.TABLE)
        .placement(common.LegendPlacement.BOTTOM)
        .calcs(["lastNotNull", "max"])
        .show_legend(True)
    )
    panel.tooltip(
        common_builders.VizTooltipOptions()
        .mode(common.TooltipDisplayMode.MULTI)
        .sort(common.SortOrder.DESCENDING)
    )
    if shown.stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    if shown.steps:
        panel.thresholds_style(
            common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        )
    return panel


def listing(shown: Shown, columns: Sequence[str], span: int = 12) -> table.Panel:
    """Return a panel that lists the series of now by their labels.

    Args:
        shown: The panel; its query makes one row of each series.
        columns: Labels to show, in order, then the value.
        span: Width, of 24.
    """
    panel = _dressed(table.Panel(), shown, instant=True).height(LOW).span(span)
    order = {name: place for place, name in enumerate((*columns, "Value"))}
    return panel.with_transformation(
        models.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": {"Time": True},
                "indexByName": order,
                "renameByName": {"Value": shown.queries[0].legend},
            },
        )
    )


def _dressed(panel: P, shown: Shown, *, instant: bool = False) -> P:
    panel.title(shown.title).description(shown.meaning).unit(shown.unit)
    panel.datasource(models.DataSourceRef(type_val="prometheus", uid="${datasource}"))
    for letter, query in zip("ABCDEFGH", shown.queries, strict=False):
        panel.with_target(_target(query, letter, instant=instant))
    if shown.steps:
        panel.thresholds(
            dashboard.ThresholdsConfig()
            .mode(models.ThresholdsMode.ABSOLUTE)
            .steps([models.Threshold(value=step.above, color=step.colour) for step in shown.steps])
        )
    if shown.runbook is not None:
        link = dashboard.DashboardLink(f"Runbook: {shown.runbook}").url(f"${{runbooks}}/{shown.runbook}.md")
        panel.links([link.target_blank(True)])
    return panel


def _target(query: Query, letter: str, *, instant: bool) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter)
    if instant:
        return target.instant().format(PromQueryFormat.TABLE)
    return target.range()


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard.

    Attributes:
        uid: Its identity, for links.
        title: Its name.
        meaning: What it answers.
        rows: Panels by the title of their row.
        of: The metric whose labels the variables offer.
        by_partition: Whether there is a variable for partitions.
        since: How far it looks back.
    """

    uid: str
    title: str
    meaning: str
    rows: Mapping[str, Sequence[Any]]
    of: str = "stream_enforcer_build_info"
    by_partition: bool = False
    since: str = "now-3h"

    def build(self) -> models.Dashboard:
        """Return the dashboard as Grafana takes it."""
        board = dashboard.Dashboard(f"Stream Enforcer / {self.title}").uid(self.uid).description(self.meaning)
        board.tags(["stream-enforcer"]).editable().refresh("30s").time(self.since, "now").timezone("utc")
        board.tooltip(models.DashboardCursorSync.CROSSHAIR)
        board.link(
            dashboard.DashboardLink("Stream Enforcer")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags(["stream-enforcer"])
            .as_dropdown(True)
            .keep_time(True)
            .include_vars(True)
        )
        for variable in self._variables():
            board.with_variable(variable)
        number = count(1)
        for title, panels in self.rows.items():
            board.with_row(dashboard.Row(title).id(next(number)))
            for panel in panels:
                board.with_panel(panel.id(next(number)))
        return board.build()

    def _variables(self) -> list[Any]:
        found = [
            dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"),
            self._label("namespace", "Namespace", f"{self.of}"),
            self._label("job", "Job", f'{self.of}{{namespace=~"$namespace"}}'),
        ]
        if self.by_partition:
            series = f"stream_enforcer_lag_records{{{SCOPE}}}"
            found.append(self._label("partition", "Partition", series))
        runbooks = dashboard.TextBoxVariable("runbooks").label("Runbooks at").default_value(RUNBOOKS_AT)
        return [*found, runbooks]

    def _label(self, name: str, title: str, series: str) -> dashboard.QueryVariable:
        return (
            dashboard.QueryVariable(name)
            .label(title)
            .datasource(models.DataSourceRef(type_val="prometheus", uid="${datasource}"))
            .query(f"label_values({series}, {name})")
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.NUMERICAL_ASC)
            .multi(True)
            .include_all(True)
            .all_value(".*")
            .current(models.VariableOption(text="All", value="$__all", selected=True))
        )


RUNBOOKS_AT: Final = "/docs/runbooks"
"""Where the links lead until somebody writes the address of their runbooks into the field at the top."""
