"""Dashboards: the committed files are what the code makes, and every panel shows something of a real run."""

import json
import math
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio

from tests.broker.stage import make_stage
from tests.deploy.monitored import Monitored, monitored
from tests.deploy.monitoring import (
    DASHBOARDS,
    MISSING,
    RUNBOOKS,
    recorded,
    rules,
    tool,
    unknown_labels,
    unknown_names,
)
from tools.dashboards.__main__ import dashboards

PROMETHEUS = tool("prometheus")
BOARDS: Final[dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DASHBOARDS.glob("*.json"))
}
WHATEVER: Final = {"namespace": ".*", "job": ".*", "partition": ".*", "__rate_interval": "30s"}


class Asked(NamedTuple):
    """A query of a panel."""

    board: str
    panel: str
    expr: str

    @property
    def resolved(self) -> str:
        """The query, with every variable at All."""
        return re.sub(r"\$(\w+)", lambda found: WHATEVER[found[1]], self.expr)


def panels(board: str) -> Iterator[dict[str, Any]]:
    for panel in BOARDS[board]["panels"]:
        yield from panel.get("panels", ())
        if panel["type"] != "row":
            yield panel


def asked() -> Iterator[Asked]:
    for board in BOARDS:
        for panel in panels(board):
            yield from (Asked(board, panel["title"], target["expr"]) for target in panel["targets"])


def test_the_committed_dashboards_are_what_the_code_makes() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in DASHBOARDS.glob("*.json")}
    assert committed == dashboards(), "run `python -m tools.dashboards`"


def test_there_is_one_dashboard_for_each_question() -> None:
    assert set(BOARDS) == {"overview", "kafka-tasks", "policy-and-reference", "replay"}
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)


@pytest.mark.parametrize("board", BOARDS)
def test_a_dashboard_asks_whom_it_is_told_to_ask(board: str) -> None:
    names = [variable["name"] for variable in BOARDS[board]["templating"]["list"]]
    assert names[:3] == ["datasource", "namespace", "job"]
    for panel in panels(board):
        assert panel["datasource"]["uid"] == "${datasource}"
        used = {name for target in panel["targets"] for name in re.findall(r"\$(\w+)", target["expr"])}
        assert used - {"__rate_interval"} <= set(names), panel["title"]


@pytest.mark.parametrize("board", BOARDS)
def test_a_panel_says_what_it_shows_in_what_unit_and_where_help_is(board: str) -> None:
    for panel in panels(board):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]
        for link in panel.get("links", ()):
            page = link["url"].removeprefix("${runbooks}/")
            assert (RUNBOOKS / page).exists(), panel["title"]
    assert BOARDS[board]["description"]


@pytest.mark.parametrize("board", BOARDS)
def test_panels_do_not_cover_each_other(board: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[board]["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_dashboards_speak_of_metrics_and_labels_that_there_are() -> None:
    for query in asked():
        assert unknown_names(query.expr) == [], query
        assert unknown_labels(query.expr.replace('namespace=~"$namespace", job=~"$job"', "")) == [], query


def test_every_alert_of_the_rules_can_be_seen_on_a_dashboard() -> None:
    linked = {
        link["url"].removeprefix("${runbooks}/")
        for board in BOARDS
        for panel in panels(board)
        for link in panel.get("links", ())
    }
    unseen = {path.name for path in RUNBOOKS.glob("*.md")} - linked
    assert unseen == {"down.md"}, "with no replica there is nothing to see"


def test_what_is_recorded_is_asked_for() -> None:
    text = "".join(str(rule["expr"]) for rule in rules()) + "".join(query.expr for query in asked())
    assert [name for name in recorded() if name not in text] == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Monitored]:
    if PROMETHEUS is None:
        pytest.skip(MISSING.format("prometheus"))
    stage, past = [await make_stage(kafka) for _ in range(2)]
    async with monitored(PROMETHEUS, stage, past, tmp_path_factory.mktemp("run")) as run:
        yield run


@pytest.mark.deploy
@pytest.mark.broker
@pytest.mark.asyncio(loop_scope="module")
async def test_every_panel_shows_something_of_a_real_run(run: Monitored) -> None:
    empty = []
    for query in asked():
        series = await run.course(query.resolved)
        values = [float(value) for one in series for _, value in one["values"]]
        if not any(map(math.isfinite, values)):
            empty.append(query)
    assert empty == []


@pytest.mark.deploy
@pytest.mark.broker
@pytest.mark.asyncio(loop_scope="module")
async def test_no_alert_is_left_broken_by_a_real_run(run: Monitored) -> None:
    groups = (await run.prometheus.ask("rules"))["groups"]
    found = [rule for group in groups for rule in group["rules"]]
    assert [rule["name"] for rule in found if rule["health"] != "ok"] == []
    assert {rule["name"] for rule in found if rule["type"] == "recording"} == recorded()
    firing = {rule["name"] for rule in found if rule.get("state") == "firing"}
    assert firing <= {"StreamEnforcerOwnershipRefused"}
