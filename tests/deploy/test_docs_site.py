"""The site of the documentation: it is whole, needs nothing from elsewhere, and can be searched as files."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="MkDocs is not installed: `make setup`")

ROOT = Path(__file__).parents[2]
LOADED = re.compile(r"<(?:script|link|img|iframe)[^>]*\b(?:src|href)=\"?(?:https?:)?//", re.IGNORECASE)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    # Not with --quiet: MkDocs then counts no warnings either, and is strict about nothing.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", "tools/docs_site/mkdocs.yml"]
    done = subprocess.run(
        [*command, "-d", str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    pages = {page.with_name("index.html") if page.name == "README.html" else page for page in pages}
    assert [page for page in pages if not (site / page).is_file()] == []
    assert (site / "index.html").is_file()
    assert (site / "deployment.html").is_file()


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = [page for page in site.rglob("*.html") if LOADED.search(page.read_text(encoding="utf-8"))]
    assert pages == []


def test_what_pages_link_to_in_the_repository_comes_along(site: Path) -> None:
    for name in ("schemas/decision.schema.json", "LICENSE.txt"):
        assert (site / "repository" / name).stat().st_size > 0


@pytest.mark.deploy
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install your distribution's package `chromium`")
def test_the_site_can_be_searched_without_a_server(site: Path) -> None:
    assert CHROMIUM is not None
    page = f"file://{site}/concepts.html?q=dead+letter"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000", "--dump-dom"]
    done = subprocess.run([CHROMIUM, *flags, page], capture_output=True, text=True, timeout=60, check=True)
    assert re.search(r"\d+ matching documents", done.stdout)
