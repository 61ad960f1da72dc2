"""The table of accounts in a browser: sorted, filtered, paged, and what stands below an opened row."""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from playwright.async_api import expect

from stream_enforcer.replay.report.columns import kind_of
from tests.web.conftest import Open
from tests.web.reader import PHONE, cells, status
from tests.web.sample import Sample, sample

pytestmark = [pytest.mark.web, pytest.mark.asyncio(loop_scope="session")]

PAGE_OF_ROWS = 50


def kinds(shown: Sample) -> Iterator[str]:
    return (kind_of(row["old"], row["new"]) for row in shown.rows)


async def test_a_heading_sorts_and_says_how(opened: Open, thousand: Sample) -> None:
    page = (await opened(thousand)).page
    ordered = sorted(thousand.rows, key=lambda row: row["account_id"])
    for name, wanted in (("ascending", ordered), ("descending", ordered[::-1])):
        await page.locator("#heads").get_by_role("button", name="Account").click()
        assert await cells(page, "account") == [row["account_id"] for row in wanted[:PAGE_OF_ROWS]]
        assert await page.locator("#heads > .account").get_attribute("aria-sort") == name
    assert await page.locator("#heads > [aria-sort]:not([aria-sort=none])").count() == 1


@pytest.mark.parametrize("title", ["Change", "Reasons", "Outcome", "Country", "Reading", "First difference"])
async def test_every_column_sorts_both_ways(opened: Open, thousand: Sample, title: str) -> None:
    page = (await opened(thousand)).page
    head = page.locator("#heads > th").filter(has_text=title)
    column = str(await head.get_attribute("data-column"))
    firsts = []
    for _ in range(2):
        await head.get_by_role("button").click()
        firsts.append((await cells(page, column))[0])
    assert firsts[0] != firsts[1]
    assert "" not in firsts


async def test_the_dearest_accounts_stand_first(opened: Open, thousand: Sample) -> None:
    page = (await opened(thousand)).page
    dearest = sorted(thousand.rows, key=lambda row: -int(row["cost_usd_micros_per_month"]))
    assert await cells(page, "account") == [row["account_id"] for row in dearest[:PAGE_OF_ROWS]]


async def test_filters_narrow_together_and_clear_together(opened: Open, thousand: Sample) -> None:
    page = (await opened(thousand)).page
    wanted = [
        row
        for row, kind in zip(thousand.rows, kinds(thousand), strict=True)
        if kind == "suspended"
        and "ownership-restricted" in row["new"]["reasons"] + row["old"]["reasons"]
        and row["jurisdiction"] == "CN"
        and row["reading"] == "control"
    ]
    assert len(wanted) > 2
    await page.get_by_label("Change", exact=True).select_option("suspended")
    await page.get_by_label("Rule", exact=True).select_option("ownership-restricted")
    await page.get_by_label("Country", exact=True).select_option("CN")
    await page.get_by_label("Reading", exact=True).select_option("control")
    await status(page, f"of {len(wanted)} matching accounts (1,000 in all)")
    await page.get_by_label("Account or company").fill(wanted[1]["account_id"].upper())
    assert await cells(page, "account") == [wanted[1]["account_id"]]
    await page.get_by_label("Account or company").fill("nobody")
    await status(page, "No account matches.")
    await page.get_by_role("button", name="Clear").click()
    await status(page, "1\u201350 of 1,000 accounts")


async def test_a_search_finds_a_company_by_its_name(opened: Open, thousand: Sample) -> None:
    page = (await opened(thousand)).page
    owned = next(row for row in thousand.rows if row["ownership"] is not None)
    await page.get_by_label("Account or company").fill(thousand.names[owned["ownership"]["entity"]])
    await page.get_by_label("Account or company").press("Enter")
    assert owned["account_id"] in await cells(page, "account")


async def test_a_name_in_the_breakdown_shows_its_accounts(opened: Open, thousand: Sample) -> None:
    page = (await opened(thousand)).page
    await page.locator("#groups").get_by_role("button", name="KP").click()
    count = sum(row["jurisdiction"] == "KP" for row in thousand.rows)
    await status(page, f"of {count} matching accounts")
    await expect(page.get_by_label("Country", exact=True)).to_be_focused()


async def test_pages_turn_and_the_focus_stays(opened: Open, thousand: Sample) -> None:
    page = (await opened(thousand)).page
    pages = page.get_by_role("navigation", name="Pages of the table")
    await pages.get_by_role("button", name="Last").click()
    await status(page, "951\u20131,000 of 1,000 accounts")
    await expect(pages.get_by_role("button", name="Last")).to_be_focused()
    await expect(pages.get_by_role("button", name="Next")).to_have_attribute("aria-disabled", "true")
    await pages.get_by_role("button", name="Next").click(force=True)  # it is off for people, not for clicks
    await status(page, "951\u20131,000 of 1,000 accounts")
    await pages.get_by_role("button", name="First").click()
    await status(page, "1\u201350 of 1,000 accounts")


async def test_a_row_opens_the_holdings_that_prove_it(opened: Open, thousand: Sample) -> None:
    page = (await opened(thousand)).page
    owned = next(row for row in thousand.rows if row["ownership"] and len(row["ownership"]["proof"]) > 2)
    await page.get_by_label("Account or company").fill(owned["account_id"])
    button = page.locator(".opener")
    await button.click()
    assert await button.get_attribute("aria-expanded") == "true"
    below = page.locator(f"#{await button.get_attribute('aria-controls')}")
    for edge in owned["ownership"]["proof"]:
        await expect(below.locator(".tree")).to_contain_text(thousand.names[edge["holder"]])
    holders = below.locator(".tree > li")
    first = [e for e in owned["ownership"]["proof"] if e["held"] == owned["ownership"]["entity"]]
    await expect(holders).to_have_count(len(first))
    await button.click()
    await expect(below).to_have_count(0)


def owned_by(edges: list[dict[str, Any]]) -> Sample:
    shown = sample(changes=200, accounts=1_000)
    row = deepcopy(next(row for row in shown.rows if row["ownership"] is not None))
    row["account_id"] = "asked"
    row["ownership"] |= {"entity": "e0", "proof": edges}
    row["names"] = {}
    return Sample(shown.summary, [row])


def edge(holder: str, held: str) -> dict[str, Any]:
    return {"holder": holder, "held": held, "min": 60_000_000, "max": 70_500_000}


@pytest.mark.parametrize(
    ("edges", "shown", "words"),
    [
        ([edge(f"e{n + 1}", f"e{n}") for n in range(5_000)], 24, "4,976 more holdings are in changes.jsonl."),
        ([edge(f"h{n}", "e0") for n in range(5_000)], 400, "4,600 more holdings are in changes.jsonl."),
        ([edge("e1", "e0"), edge("e0", "e1"), edge("e0", "e0")], 3, "(its holders: see above)"),
    ],
    ids=["chain", "star", "ring"],
)
async def test_a_proof_of_any_shape_is_shown_in_bounds(
    opened: Open, edges: list[dict[str, Any]], shown: int, words: str
) -> None:
    page = (await opened(owned_by(edges))).page
    await page.locator(".opener").click()
    await expect(page.locator(".tree li")).to_have_count(shown)
    await expect(page.locator(".below")).to_contain_text(words)
    await expect(page.locator(".tree .share").first).to_have_text("60\u201370.5\u00a0%")


async def test_fifty_thousand_rows_are_filtered_and_sorted_within_a_second(opened: Open) -> None:
    shown = sample(changes=50_000)
    page = (await opened(shown)).page
    found = sum("acct_7" in row["account_id"] for row in shown.rows)
    await page.get_by_label("Account or company").fill("acct_7")
    await expect(page.get_by_role("status")).to_contain_text(f"of {found:,} matching", timeout=1_000)
    await page.get_by_label("Account or company").fill("")
    for title in ("Account", "Reasons", "First difference"):
        head = page.locator("#heads > th").filter(has_text=title)
        await head.get_by_role("button").click(timeout=1_000)
        await expect(head).to_have_attribute("aria-sort", re.compile("ending$"), timeout=1_000)
    least = min(row["first_difference"] for row in shown.rows)
    await page.locator("#heads > .first > button").click()
    await expect(page.locator("#rows .first").first).to_have_text(least[:19].replace("T", " "), timeout=1_000)
    assert await page.locator("#rows > tr").count() == PAGE_OF_ROWS


async def test_a_phone_can_sort_by_columns_that_it_hides(opened: Open, thousand: Sample) -> None:
    page = (await opened(thousand, **PHONE)).page
    await page.get_by_label("Sort by").select_option(label="First difference, ascending")
    earliest = min(thousand.rows, key=lambda row: str(row["first_difference"]))
    assert (await cells(page, "account"))[0] == earliest["account_id"]
    await expect(page.locator("#heads > .first")).to_be_hidden()
