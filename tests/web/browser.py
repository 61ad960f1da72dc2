"""Finding a Chromium, and opening a report in it."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page, Playwright

FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
"""For a machine without a screen and without a user, which meets nothing but this project's own pages."""
_VARIABLE: Final = "STREAM_ENFORCER_TEST_CHROMIUM"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NONE_FOUND: Final = f"there is no Chromium: set {_VARIABLE}, or install one"


def chromium(playwright: Playwright) -> str | None:
    """Return the path of a Chromium: the one named by a variable, on the path, or Playwright's own; else None."""
    named = os.environ.get(_VARIABLE)
    if named is not None:
        return named
    found = next((path for path in map(shutil.which, _NAMES) if path is not None), None)
    own = playwright.chromium.executable_path
    return found or (own if Path(own).exists() else None)


@asynccontextmanager
async def launched(playwright: Playwright, path: str) -> AsyncIterator[Browser]:
    """Start a browser and close it again."""
    browser = await playwright.chromium.launch(executable_path=path, args=[*FLAGS])
    try:
        yield browser
    finally:
        await browser.close()


class Watched:
    """A page and all that it must not do: complain, break its own policy, or ask for anything but itself.

    Attributes:
        page: The page.
        complaints: Errors and warnings of the console, and exceptions.
        requests: Addresses that it asked for.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    async def violations(self) -> list[str]:
        """Return the breaches of the content security policy since the page began."""
        found: list[str] = await self.page.evaluate("window.violations")
        return found


WATCH_THE_POLICY: Final = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
