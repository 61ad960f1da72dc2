"""How large the report of a replay is, how long it takes to write, and how soon it opens.

`python -m benchmarks.report` prints all three.

The replay is that of tests/web/sample.py: a million accounts, of which some change. A report has opened when its
table shows rows. The browser is the one that the tests of the report find.
"""

import argparse
import asyncio
import resource
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from playwright.async_api import Browser, Page, async_playwright

from benchmarks.service import machine
from stream_enforcer.replay.report import report
from tests.web.browser import NONE_FOUND, chromium, launched
from tests.web.sample import sample

_TIMES: Final = 5
_MEGA: Final = 1_000_000


class Opened(NamedTuple):
    """Seconds until the table shows rows, and those that a search and a first sort take."""

    rows: float
    search: float
    sort: float


async def _opened(browser: Browser, address: str) -> Opened:
    page = await browser.new_page()
    began = time.perf_counter()
    await page.goto(address, wait_until="commit")
    await page.wait_for_selector("#rows > tr")
    rows = time.perf_counter() - began
    found = Opened(rows, await _timed(page, _SEARCH), await _timed(page, _SORT))
    await page.close()
    return found


_SEARCH: Final = """() => {
  const query = document.getElementById('query');
  query.value = 'acct_7';
  query.dispatchEvent(new Event('input'));
}"""
_SORT: Final = "() => document.querySelector('#heads > .why > button').click()"


async def _timed(page: Page, act: str) -> float:
    """Return the seconds from an act until the browser has painted what it led to."""
    milliseconds: float = await page.evaluate(
        f"""async () => {{
          const began = performance.now();
          ({act})();
          await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
          return performance.now() - began;
        }}"""
    )
    return milliseconds / 1000


async def _measure(browser: Browser, changes: int, folder: Path) -> None:
    shown = sample(changes=changes)
    began = time.process_time()
    page = report(shown.summary, shown.rows)
    written = time.process_time() - began
    file = folder / f"{changes}.html"
    file.write_bytes(page)
    opened = [await _opened(browser, file.as_uri()) for _ in range(_TIMES)]
    rows, search, sort = (median(values) for values in zip(*opened, strict=True))
    print(
        f"{changes:>7,} changes: {len(page) / _MEGA:.1f} MB, written in {written:.1f} s of CPU; "
        f"opens in {rows:.2f} s, a search {search:.3f} s, a first sort {sort:.3f} s (medians of {_TIMES})"
    )


async def _run(sizes: list[int]) -> None:
    async with async_playwright() as playwright:
        path = chromium(playwright)
        if path is None:
            raise SystemExit(NONE_FOUND)
        async with launched(playwright, path) as browser:
            print(f"{machine()}; Chromium {browser.version}")
            with TemporaryDirectory() as folder:
                for changes in sizes:
                    await _measure(browser, changes, Path(folder))
    print(f"most memory of the writer: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--changes", type=int, nargs="+", default=[20_000, 50_000], help="how many accounts change"
    )
    asyncio.run(_run(parser.parse_args().changes))


if __name__ == "__main__":
    main()
