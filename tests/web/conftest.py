"""One Chromium for the tests of a session, and pages in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from stream_enforcer.replay.report import report
from tests.web.browser import NONE_FOUND, WATCH_THE_POLICY, Watched, chromium, launched
from tests.web.sample import Sample, sample

DESK: Final = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
Open = Callable[..., Awaitable[Watched]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium; tests that need one are skipped where there is none."""
    async with async_playwright() as playwright:
        path = chromium(playwright)
        if path is None:
            pytest.skip(NONE_FOUND)
        async with launched(playwright, path) as started:
            yield started


@pytest.fixture(scope="session")
def thousand() -> Sample:
    """A replay in which 1,000 accounts change."""
    return sample(changes=1000, accounts=50_000)


@pytest_asyncio.fixture(loop_scope="session")
async def opened(browser: Browser, tmp_path: Path) -> AsyncIterator[Open]:
    """A function that opens the report of a sample in a page of its own; further arguments are the context's."""
    contexts: list[BrowserContext] = []

    async def opening(shown: Sample, **how: Any) -> Watched:
        file = tmp_path / f"report-{len(contexts)}.html"
        file.write_bytes(report(shown.summary, shown.rows))
        context = await browser.new_context(**{**DESK, **how})
        contexts.append(context)
        context.set_default_timeout(10_000)
        await context.add_init_script(WATCH_THE_POLICY)
        watched = Watched(await context.new_page())
        await watched.page.goto(file.as_uri())
        return watched

    yield opening
    for context in contexts:
        await context.close()
