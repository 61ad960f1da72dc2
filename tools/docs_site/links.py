"""From the repository's links to the site's: docs/ is its pages, and what they link to outside comes along.

In the repository a page links to `../schemas/decision.schema.json` or `../deploy/README.md`, and that works wherever
the repository is looked at. The site has neither folder. So every file that is linked to gets a place in the site, and
the links that lead to it are written anew.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from types import MappingProxyType
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = PurePosixPath("docs")
PAGES: Final[Mapping[str, str]] = MappingProxyType(
    {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "deploy/README.md": "deployment.md"}
)
"""Pages that stand outside of docs/ in the repository, and where in the site."""
AS_THEY_ARE: Final = frozenset({".md", ".json", ".svg", ".png", ".txt"})
"""A browser shows these; it would offer others for download, so they get the ending of a text."""

_FENCED: Final = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
_FOLDER_LINK: Final = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_CODE_IN_TABLE: Final = re.compile(r"`[^`\n]+`")


def site_place(path: PurePosixPath) -> str:
    """Return where in the site a file of the repository stands, as MkDocs writes source paths."""
    if path.is_relative_to(DOCS):
        return str(path.relative_to(DOCS))
    shown = str(path) if path.suffix in AS_THEY_ARE else f"{path}.txt"
    return PAGES.get(str(path), f"repository/{shown}")


def repository_place(page: str) -> PurePosixPath:
    """Return where in the repository a page of the site stands: what `site_place` turns round."""
    outside = {place: path for path, place in PAGES.items()}
    if page in outside:
        return PurePosixPath(outside[page])
    path = PurePosixPath(page)
    return path.relative_to("repository") if path.is_relative_to("repository") else DOCS / path


def for_site(text: str, page: PurePosixPath, is_folder: Callable[[PurePosixPath], bool]) -> str:
    """Write a page's Markdown as the site needs it.

    Args:
        text: The page as the repository has it.
        page: Where it stands in the repository.
        is_folder: Whether there is a folder at a place of the repository; a site has none to show.

    Returns:
        The page with links to the site's places, folders named in place of links to them, and the two marks that
        GitHub and MkDocs read differently: how a fence says the exit code, and a bar within code within a table.
    """
    here = site_place(page)

    def link(match: re.Match[str]) -> str:
        target = _target(page, match[1])
        if target is None:
            return match[1]
        path, anchor = target
        return relpath(site_place(path), PurePosixPath(here).parent) + anchor

    def folder(match: re.Match[str]) -> str:
        target = _target(page, match[2])
        return f"{match[1]} (`{target[0]}/`)" if target and is_folder(target[0]) else match[0]

    def prose(part: str) -> str:
        return _LINK.sub(link, _FOLDER_LINK.sub(folder, _plain_bars(part)))

    parts = _FENCED.split(text)
    return "".join(_plain_fence(p) if p.startswith("```") else prose(p) for p in parts)


def linked_files(pages: Iterable[PurePosixPath], read: Callable[[PurePosixPath], str]) -> set[PurePosixPath]:
    """Return the files outside of docs/ that pages lead to, and pages among these lead to, and so on."""
    found: set[PurePosixPath] = set()
    left = list(pages)
    while left:
        page = left.pop()
        new = {path for path in _targets(page, read(page)) if not path.is_relative_to(DOCS)} - found
        found |= new
        left += [path for path in new if path.suffix == ".md"]
    return found


def _targets(page: PurePosixPath, text: str) -> Iterator[PurePosixPath]:
    for link in _LINK.findall(_FENCED.sub("", text)):
        target = _target(page, link)
        if target is not None:
            yield target[0]


def _target(page: PurePosixPath, link: str) -> tuple[PurePosixPath, str] | None:
    """Return the file of the repository that a link of a page leads to, and its anchor; None for other links."""
    path, hash_, anchor = link.partition("#")
    if not path or "://" in path or path.startswith("mailto:"):
        return None
    return PurePosixPath(normpath(page.parent / path)), hash_ + anchor


def _plain_fence(block: str) -> str:
    return re.sub(r"\A```(\w+) exit=\d$", r"```\1", block, count=1, flags=re.MULTILINE)


def _plain_bars(part: str) -> str:
    lines = part.split("\n")
    return "\n".join(
        _CODE_IN_TABLE.sub(lambda code: code[0].replace("\\|", "|"), line) if line.startswith("|") else line
        for line in lines
    )
