"""What MkDocs calls while it builds the site."""

import re
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.docs_site.links import DOCS, PAGES, ROOT, for_site, linked_files, repository_place, site_place

OURS: Final = ("site.css", "iframe-worker.js")
_CELL: Final = re.compile(r"<td[^>]*>.*?</td>", re.DOTALL)
_CODE: Final = re.compile(r"(?<=<code>)[^<\s]{16,}(?=</code>)")
_BREAK: Final = re.compile(r"(_+|\.)(?=\w)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put pages in the place of patterns, and leave out of the navigation what is not there yet."""
    config.nav = _pages(config.nav or [])
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand outside of docs/, what pages link to there, and the site's own style and script."""
    pages = [DOCS / file.src_uri for file in files.documentation_pages()]
    outside = [repository_place(place) for place in PAGES.values()]
    linked = linked_files([*pages, *outside], lambda page: (ROOT / page).read_text(encoding="utf-8"))
    for path in sorted({*outside, *linked}):
        if (ROOT / path).is_file():
            files.append(File.generated(config, site_place(path), content=(ROOT / path).read_bytes()))
    here = Path(__file__).parent
    for name in OURS:
        files.append(File.generated(config, name, content=(here / name).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Write links as the site needs them."""
    return for_site(markdown, repository_place(page.file.src_uri), lambda path: (ROOT / path).is_dir())


def on_page_content(html: str, **_: Any) -> str:
    """Let long names in tables break after their underscores and dots, and nowhere else."""

    def breakable(cell: re.Match[str]) -> str:
        return _CODE.sub(lambda code: _BREAK.sub(r"\1<wbr>", code[0]), cell[0])

    return _CELL.sub(breakable, html)


def _pages(nav: list[Any]) -> list[Any]:
    found: list[Any] = []
    for entry in nav:
        if isinstance(entry, dict):
            ((title, below),) = entry.items()
            below = _pages(below if isinstance(below, list) else [below])
            single = len(below) == 1 and isinstance(below[0], str) and not isinstance(entry[title], list)
            found += [{title: below[0] if single and "*" not in entry[title] else below}] if below else []
        elif "*" in entry:
            found += [str(path.relative_to(ROOT / DOCS)) for path in sorted((ROOT / DOCS).glob(entry))]
        elif (ROOT / repository_place(entry)).exists():
            found.append(entry)
    return found
