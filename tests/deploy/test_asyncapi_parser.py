"""The AsyncAPI document as AsyncAPI's own tools see it: its parser, and the JSON Schema of its version."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "schemas" / "asyncapi.yaml"
TOOLS = ROOT / ".tools"
HOW = "`make deploy-tools` installs it: npm install --prefix .tools --no-save @asyncapi/parser@3 @asyncapi/specs@6"
WORST = 1
"""Severity of a diagnostic: 0 is an error, 1 a warning, 2 information, 3 a hint."""

PARSE = """
const { Parser } = require("@asyncapi/parser");
const text = require("node:fs").readFileSync(process.argv[1], "utf8");
new Parser().parse(text).then(({ document, diagnostics }) => {
  console.log(JSON.stringify({
    messages: document ? document.messages().all().map((message) => message.id()) : null,
    diagnostics: diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path })),
  }));
});
"""

pytestmark = pytest.mark.deploy


def parsed(file: Path) -> dict[str, Any]:
    if shutil.which("node") is None or not (TOOLS / "node_modules" / "@asyncapi" / "parser").exists():
        pytest.skip(f"AsyncAPI's parser, or Node.js, is not installed; {HOW}")
    command = ["node", "-e", PARSE, str(file)]
    ended = subprocess.run(command, cwd=TOOLS, capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_the_parser_has_nothing_to_say_against_it() -> None:
    found = parsed(FILE)
    assert [said for said in found["diagnostics"] if said["severity"] <= WORST] == []
    assert set(found["messages"]) == {
        *("signup", "usage", "override", "ownership-statement", "decision", "dead-letter"),
    }


def test_the_parser_refuses_a_broken_one(tmp_path: Path) -> None:
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    document["operations"]["send_decisions"]["channel"]["$ref"] = "#/channels/verdicts"
    broken = tmp_path / "asyncapi.yaml"
    broken.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert [said for said in parsed(broken)["diagnostics"] if said["severity"] == 0]


def test_it_is_a_document_of_its_version() -> None:
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    folder = TOOLS / "node_modules" / "@asyncapi" / "specs" / "schemas"
    if not folder.exists():
        pytest.skip(f"the JSON Schema of AsyncAPI is not installed; {HOW}")
    schema = json.loads((folder / f"{document['asyncapi']}-without-$id.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft7Validator(schema)
    validator.validate(document)
    document["operations"]["send_decisions"]["action"] = "publish"
    assert not validator.is_valid(document)
