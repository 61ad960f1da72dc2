"""The page on testing a policy shows code that runs, and names all that there is."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stream_enforcer.testing
from stream_enforcer.testing import EnforcerDriver

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing-your-policy.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def shown_tests() -> dict[str, Callable[[], None]]:
    names: dict[str, Any] = {}
    exec("\n".join(SHOWN), names)  # noqa: S102 - the page's own code is what is tested
    return {name: value for name, value in names.items() if name.startswith("test_")}


def test_the_page_shows_tests() -> None:
    assert len(shown_tests()) == 3


@pytest.mark.parametrize("name", shown_tests())
def test_a_test_that_the_page_shows_passes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown_tests()[name]()


def test_the_page_names_everything_that_is_public() -> None:
    methods = {name for name in vars(EnforcerDriver) if not name.startswith("_")} - {"close", "crashed"}
    absent = [name for name in methods | set(stream_enforcer.testing.__all__) if f"{name}" not in PAGE]
    assert absent == []
