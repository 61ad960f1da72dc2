"""Runs the service under a load, asks Prometheus what a dashboard asks, and draws the answers."""

import argparse
import asyncio
import json
import math
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from playwright.async_api import async_playwright

from stream_enforcer.demo.events import generate
from stream_enforcer.kafka.broker import given_or_local
from tests.broker.stage import PARTITIONS, Stage, make_stage, until
from tests.broker.test_crash import replicas
from tests.deploy.monitored import Monitored, prometheus
from tests.deploy.monitoring import DASHBOARDS, MISSING, tool
from tests.web.browser import NONE_FOUND, chromium, launched

HERE: Final = Path(__file__).parent
RATE: Final = 400
"""Events per second, on average."""
STEP: Final = "2s"
WIDTH: Final = 1480
VARIABLES: Final = {"namespace": ".*", "job": ".*", "partition": ".*", "__rate_interval": "15s"}


async def record(program: str, board: dict[str, Any], folder: Path, seconds: int, servers: str) -> str:
    """Run two replicas under a load that comes and goes; return the dashboard's panels with what they show, as JSON."""
    stage = await make_stage(servers)
    async with replicas(stage, folder) as running:
        hosts = [replica.url.removeprefix("http://") for replica in running]
        with prometheus(program, folder / "prometheus", {"stream-enforcer": hosts}) as server:
            await until(server.ready)
            began = time.time()
            await _feed(stage, seconds)
            run = Monitored(server, began + 10, time.time())
            panels = [await _answered(panel, run) for panel in board["panels"]]
    found = {"title": board["title"], "from": run.begin * 1000, "to": run.end * 1000, "panels": panels}
    text = json.dumps(found).replace(f"{stage.settings.kafka.group}-", "")
    for number, host in enumerate(hosts, start=1):
        text = text.replace(host, f"enforcer-{number}")
    return text


async def _feed(stage: Stage, seconds: int) -> None:
    events = list(generate(RATE * seconds, 7, accounts=RATE * seconds // 20))
    producer = stage.clients.producer(None)
    await producer.start()
    began, sent = time.monotonic(), 0
    try:
        while sent < len(events):
            passed = time.monotonic() - began
            due = int(RATE * (passed - 6 * math.sin(passed / 12)))
            for role, key, value in events[sent:due]:
                await producer.send(
                    getattr(stage.topics, role), value, key, partition=crc32(key) % PARTITIONS
                )
            sent = max(sent, min(due, len(events)))
            await asyncio.sleep(0.05)
    finally:
        await producer.stop()


async def _answered(panel: dict[str, Any], run: Monitored) -> dict[str, Any]:
    """Return a panel with the series that it shows; a table with its rows."""
    shown: dict[str, Any] = {**panel, "series": [], "rows": [], "columns": []}
    for target in panel.get("targets", ()):
        expr = re.sub(r"\$(\w+)", lambda found: VARIABLES[found[1]], target["expr"])
        if panel["type"] == "table":
            now = (await run.prometheus.ask("query", query=expr))["result"]
            shown["rows"] = [{"labels": row["metric"], "value": float(row["value"][1])} for row in now]
            order = panel["transformations"][0]["options"]["indexByName"]
            shown["columns"] = [name for name in order if name != "Value"]
            continue
        data = await run.prometheus.ask("query_range", query=expr, start=run.begin, end=run.end, step=STEP)
        shown["series"] += [_series(target["legendFormat"], one) for one in data["result"]]
    return shown


def _series(legend: str, one: dict[str, Any]) -> dict[str, Any]:
    values = [float(value) for _, value in one["values"]]
    return {
        "name": re.sub(r"\{\{(\w+)\}\}", lambda found: one["metric"].get(found[1], ""), legend),
        "times": [at * 1000 for at, _ in one["values"]],
        "values": [value if math.isfinite(value) else None for value in values],
    }


def bundle(folder: Path) -> None:
    """Install Grafana's components into a folder, and bundle them with the code that uses them."""
    for name in ("panels.jsx", "package.json"):
        (folder / name).write_text((HERE / name).read_text(encoding="utf-8"), encoding="utf-8")
    npm = tool("npm")
    if npm is None:
        raise SystemExit("npm is missing")
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    subprocess.run([npm, "install", *quiet], cwd=folder, check=True)
    options = ("--bundle", "--minify", "--outfile=panels.js", "--loader:.ttf=empty", "--log-level=error")
    subprocess.run(
        [
            str(folder / "node_modules" / ".bin" / "esbuild"),
            "panels.jsx",
            *options,
            '--define:process.env.NODE_ENV="production"',
        ],
        cwd=folder,
        check=True,
    )


async def draw(folder: Path, board: str, picture: Path) -> None:
    """Draw a dashboard into a PNG file."""
    page_file = folder / "page.html"
    page_file.write_text(
        '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="panels.css"><div id="board"></div>'
        f'<script>window.BOARD = {board}</script><script src="panels.js"></script>',
        encoding="utf-8",
    )
    async with async_playwright() as playwright:
        path = chromium(playwright)
        if path is None:
            raise SystemExit(NONE_FOUND)
        async with launched(playwright, path) as browser:
            page = await browser.new_page(viewport={"width": WIDTH, "height": 900})
            await page.goto(page_file.as_uri())
            await page.wait_for_selector("canvas")
            await page.wait_for_timeout(1_000)  # the figures' courses fade in
            await page.screenshot(path=picture, full_page=True)


def main() -> None:
    """Parse the arguments, run, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path, help="PNG file to write")
    parser.add_argument(
        "--board", default="overview", choices=[path.stem for path in DASHBOARDS.glob("*.json")]
    )
    parser.add_argument("--seconds", type=int, default=180)
    options = parser.parse_args()
    program = tool("prometheus")
    if program is None:
        raise SystemExit(MISSING.format("prometheus"))
    board = json.loads((DASHBOARDS / f"{options.board}.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="picture-") as folder, given_or_local(os.environ) as servers:
        bundle(Path(folder))
        shown = asyncio.run(record(program, board, Path(folder), options.seconds, servers))
        asyncio.run(draw(Path(folder), shown, options.picture.absolute()))


if __name__ == "__main__":
    main()
