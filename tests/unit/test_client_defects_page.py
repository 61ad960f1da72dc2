"""The page of the client's defects names tests that exist, and leaves no canary out."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "client-defects.md").read_text(encoding="utf-8")
ROWS = [row[1:-1].split("|") for row in PAGE.splitlines() if re.match(r"\| \d", row)]


def names_in(*files: str) -> set[str]:
    trees = (ast.parse((HERE / file).read_text(encoding="utf-8")) for file in files)
    functions = (node for tree in trees for node in tree.body)
    return {
        node.name
        for node in functions
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def named(text: str) -> set[str]:
    """Give the tests that a text names; a test file's name is none."""
    return set(re.findall(r"`(test_\w+)`", text))


def test_the_canaries_of_the_page_are_those_that_exist() -> None:
    assert {name for row in ROWS for name in named(row[4])} == names_in("test_client_canaries.py")


def test_every_law_of_the_page_exists() -> None:
    laws = names_in("test_client_workarounds.py", "test_lifetime.py")
    assert {name for row in ROWS for name in named(row[5])} <= laws


def test_every_row_names_a_canary_and_all_but_the_harmless_a_law() -> None:
    assert len(ROWS) == 19
    assert [row[0] for row in ROWS if not named(row[4])] == []
    assert [row[0] for row in ROWS if not named(row[5]) and "none is needed" not in row[3]] == []
