"""The documentation keeps up with the code: generated pages are fresh, links lead somewhere, names are said."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import stream_enforcer
from stream_enforcer.cli import app
from stream_enforcer.domain.facts import FACT_NAMES
from stream_enforcer.observe.catalogue import CATALOGUE
from stream_enforcer.reference.policy_file import load_policy
from stream_enforcer.settings.rows import LEAVES
from tools.reference_docs import REFERENCE, commands, reference_files

ROOT = Path(__file__).parents[2]
PACKAGE = Path(stream_enforcer.__file__).parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
DECISION_RECORDS = sorted((ROOT / "docs" / "adr").glob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
LOGGING = {f"log.{level}" for level in ("debug", "info", "warning", "error", "critical", "exception")}
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """Give the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    broken = []
    for link in LINK.findall(CODE.sub("", text_of(page))):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = page if not path else (page.parent / path).resolve()
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def log_events() -> Iterator[str]:
    """Give the events that the service logs: every text in the first argument of a call of `log`."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in LOGGING:
                parts = ast.walk(node.args[0])
                yield from (
                    p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)
                )


def dead_letter_headers() -> set[str]:
    tree = ast.parse(text_of(PACKAGE / "kafka" / "dead_letters.py"))
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and text.startswith("dlq.")}


def test_the_reference_is_what_the_code_says() -> None:
    committed = {path.name: text_of(path) for path in REFERENCE.glob("*.md")}
    assert committed == reference_files(), "run `python -m tools.reference_docs`"


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("settings.md", [name for leaf in LEAVES.values() for name in (leaf.name, leaf.env)]),
        ("metrics.md", [spec.name for spec in CATALOGUE]),
        ("facts.md", FACT_NAMES),
    ],
)
def test_every_name_stands_in_a_table_of_its_page(page: str, names: list[str]) -> None:
    said = text_of(REFERENCE / page)
    assert [name for name in names if f"| `{name}` |" not in said] == []


def test_every_rule_of_the_default_policy_has_its_heading() -> None:
    said = text_of(REFERENCE / "rules.md").splitlines()
    assert [rule.id for rule in load_policy(None).document.rules if f"## {rule.id}" not in said] == []


def test_every_command_and_option_is_on_the_page_of_commands() -> None:
    said = text_of(REFERENCE / "commands.md")
    found = dict(commands(typer.main.get_command(app), ()))
    assert {("run",), ("policy", "check"), ("kafka", "up")} <= found.keys()
    assert [path for path in found if f"## {' '.join(path)}\n" not in said] == []
    options = {
        option for command in found.values() for p in command.params for option in p.opts if "-" in option
    }
    assert [option for option in options if f"`{option}" not in said and f", {option} " not in said] == []


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_link_to_nothing_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A & b\n[x](no.md) [y](#a--b) [z](#c) [w](https://example.com)\n```\n[v](v)\n```\n", "utf-8"
    )
    assert broken_links(page) == ["no.md", "#c"]


def test_every_log_event_is_explained_to_those_on_call() -> None:
    said = text_of(ROOT / "docs" / "operations.md")
    events = set(log_events())
    assert {"serving", "Kafka is reachable again", "ending"} <= events
    assert [event for event in events if f"`{event}`" not in said] == []


def test_every_dead_letter_header_is_explained() -> None:
    said = text_of(ROOT / "docs" / "operations.md")
    headers = dead_letter_headers()
    assert "dlq.error.message" in headers
    assert [header for header in headers if f"`{header}`" not in said] == []


@pytest.mark.parametrize("page", DECISION_RECORDS, ids=label)
def test_a_decision_record_has_its_parts_and_stands_in_the_list(page: Path) -> None:
    said = text_of(page)
    headings = re.findall(r"^## (.+)$", said, re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "Refused"]
    number, title = re.findall(r"\A# (\d+)\. (.+)$", said, re.MULTILINE)[0]
    assert page.name.startswith(f"{int(number):04}-")
    assert f"{number}. [{title}](adr/{page.name})" in text_of(ROOT / "docs" / "architecture.md")
