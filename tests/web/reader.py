"""What a reader of the report does and sees, in words of the page."""

from typing import Final

from playwright.async_api import Page, expect

PHONE: Final = {"viewport": {"width": 320, "height": 640}}


async def cells(page: Page, column: str) -> list[str]:
    return await page.locator(f"#rows > tr > .{column}").all_inner_texts()


async def open_first_owned(page: Page) -> None:
    """Open the first account that ownership suspends."""
    await page.get_by_label("Rule", exact=True).select_option("ownership-restricted")
    await page.locator(".opener").first.click()


async def status(page: Page, text: str) -> None:
    await expect(page.get_by_role("status")).to_contain_text(text)
