"""axe-core over a page: rules of WCAG 2.2, levels A and AA, and axe's own best practices."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page


def _axe() -> Path | None:
    found = find_spec("axe_playwright_python")
    places = [] if found is None else found.submodule_search_locations or []
    return next((Path(place) / "axe.min.js" for place in places), None)


AXE: Final = _axe()
"""The script of axe-core in the package that brings it; None where that is not installed."""


async def broken_rules(page: Page) -> list[str]:
    """Run axe-core in a page; return each rule that is broken, with the first places."""
    assert AXE is not None
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    result: dict[str, Any] = await page.evaluate("axe.run()")
    return [
        f"{broken['id']}: {[node['html'][:200] for node in broken['nodes'][:3]]}"
        for broken in result["violations"]
    ]
