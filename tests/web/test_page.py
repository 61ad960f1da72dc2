"""The report in a browser: what a person with a mouse, a keyboard, a phone or a screen reader meets."""

import re
from copy import deepcopy
from typing import Any

import pytest
from playwright.async_api import Page, expect

from stream_enforcer.replay.report import report
from tests.web.accessibility import AXE, broken_rules
from tests.web.conftest import Open
from tests.web.reader import PHONE, cells, open_first_owned, status
from tests.web.sample import Sample, sample
from tests.web.test_report import hostile

pytestmark = [pytest.mark.web, pytest.mark.asyncio(loop_scope="session")]


async def test_it_opens_without_a_complaint_and_asks_for_nothing(opened: Open, thousand: Sample) -> None:
    watched = await opened(thousand)
    await status(watched.page, "1\u201350 of 1,000 accounts")
    await open_first_owned(watched.page)
    assert watched.complaints == []
    assert await watched.violations() == []
    assert watched.requests == [watched.page.url]


async def test_what_was_planted_in_the_file_does_not_run(
    opened: Open, thousand: Sample, tmp_path: Any
) -> None:
    watched = await opened(thousand)
    planted = b"<script>window.planted = 1</script><img src='data:,' onerror='window.planted = 1'></main>"
    page = report(thousand.summary, thousand.rows).replace(b"</main>", planted)
    (tmp_path / "planted.html").write_bytes(page)
    await watched.page.goto((tmp_path / "planted.html").as_uri())
    await status(watched.page, "of 1,000 accounts")
    assert await watched.page.evaluate("window.planted") is None
    assert await watched.violations() != []


async def test_hostile_text_stays_text(opened: Open) -> None:
    shown = hostile(sample(changes=80, accounts=1_000))
    long = deepcopy(shown.rows[0])
    long["account_id"] = "x" * 256
    long["ownership"] = None
    long["fact"] = {"name": "listings", "value": "<b>" * 350_000}
    watched = await opened(Sample(shown.summary, [*shown.rows, long]))
    page = watched.page
    page.on("dialog", lambda _: watched.complaints.append("a dialog"))
    await page.get_by_label("Account or company").fill("onerror")
    await status(page, "1\u201350 of 80 matching accounts (81 in all)")
    await page.get_by_label("Country", exact=True).select_option(index=1)
    for place in range(await page.locator(".opener").count()):
        await page.locator(".opener").nth(place).click()
    assert await page.locator("img").count() == 0
    assert "<img src=x onerror=alert(1)>" in (await cells(page, "account"))[0]
    assert "\\u{202e}" in (await cells(page, "account"))[0]
    await page.get_by_role("button", name="Clear").click()
    await page.get_by_label("Account or company").fill("xxxxxxxxxx")
    await page.locator(".opener").click()
    await expect(page.locator(".below")).to_contain_text("(1,050,000 characters)")
    assert watched.complaints == []
    assert await watched.violations() == []


async def test_the_keyboard_alone_reaches_and_works_everything(opened: Open, thousand: Sample) -> None:
    page = (await opened(thousand)).page
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the result")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    await tab_to(page, "#query")
    await page.keyboard.type("acct_0")
    await status(page, "matching accounts")
    await tab_to(page, "#heads > .account > button")
    await page.keyboard.press("Space")
    assert await page.locator("#heads > .account").get_attribute("aria-sort") == "ascending"
    await tab_to(page, ".opener")
    await page.keyboard.press("Enter")
    await expect(page.locator(".below")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.locator(".below")).to_have_count(0)
    await tab_to(page, "#next")
    await page.keyboard.press("Enter")
    await status(page, "51\u2013")


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there, and see that every stop on the way shows it."""
    for _ in range(200):
        await page.keyboard.press("Tab")
        seen = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert seen != "none", await page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if await page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never came to {selector}")


@pytest.mark.parametrize("width", [320, 414, 768, 1024])
async def test_no_width_makes_the_page_scroll_sideways(opened: Open, thousand: Sample, width: int) -> None:
    page = (await opened(thousand, viewport={"width": width, "height": 640})).page
    await open_first_owned(page)
    for details in await page.locator("details").all():
        await details.locator("summary").click()
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    table = await page.locator("#table .scroll").evaluate("(it) => [it.scrollWidth, it.clientWidth]")
    assert table[0] <= table[1]


async def test_dark_and_light_differ(opened: Open, thousand: Sample) -> None:
    light, dark = [(await opened(thousand, color_scheme=scheme)).page for scheme in ("light", "dark")]
    assert await light.screenshot() != await dark.screenshot()
    grounds = [
        await page.evaluate("getComputedStyle(document.body).backgroundColor") for page in (light, dark)
    ]
    assert [sum(map(int, re.findall(r"\d+", ground))) < 200 for ground in grounds] == [False, True]


async def test_the_page_moves_only_for_those_who_may_want_it(opened: Open, thousand: Sample) -> None:
    for wish, motion in (("reduce", "auto"), ("no-preference", "smooth")):
        page = (await opened(thousand, reduced_motion=wish)).page
        assert await page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == motion


async def test_without_scripts_all_but_the_table_is_there(opened: Open, thousand: Sample) -> None:
    page = (await opened(thousand, java_script_enabled=False)).page
    await expect(page.get_by_role("heading", name="Summary")).to_be_visible()
    await expect(page.locator("svg.chart.desk")).to_have_count(3)
    await expect(page.get_by_text("The table of accounts needs JavaScript.")).to_be_visible()
    await expect(page.locator("#table")).to_be_hidden()


@pytest.mark.skipif(AXE is None, reason="axe-playwright-python, which brings axe-core, is not installed")
@pytest.mark.parametrize(
    "how",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"color_scheme": "light", **PHONE}],
    ids=["light", "dark", "phone"],
)
async def test_axe_finds_nothing_to_mend(opened: Open, thousand: Sample, how: dict[str, Any]) -> None:
    page = (await opened(thousand, bypass_csp=True, **how)).page
    await open_first_owned(page)
    await page.locator("details").first.locator("summary").click()
    assert await broken_rules(page) == []
