"""Writes `docs/reference/*.md` from the code that they describe: `python -m tools.reference_docs`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import typer

from stream_enforcer.cli import app
from stream_enforcer.domain.facts import NOT_EVIDENCE, Facts
from stream_enforcer.domain.policy import OVERRIDE, Rule
from stream_enforcer.observe.catalogue import CATALOGUE, REPLAY, catalogue_table
from stream_enforcer.reference.policy_file import load_policy
from stream_enforcer.settings import CONFIG_VARIABLE, SettingRow, Settings, describe
from tools.record_docs import records_page

REFERENCE: Final = Path(__file__).parents[1] / "docs" / "reference"
NOTE: Final = "<!-- Written by `python -m tools.reference_docs`. Do not edit. -->"
CEL_NAMES: Final[Mapping[Any, str]] = {
    str: "string",
    int: "int",
    bool: "bool",
    tuple[str, ...]: "list(string)",
}


def reference_files() -> dict[str, str]:
    """Return every page of the reference as text, by file name."""
    pages = {
        "settings.md": settings_page(),
        "metrics.md": metrics_page(),
        "facts.md": facts_page(),
        "rules.md": rules_page(),
        "records.md": records_page(),
        "commands.md": commands_page(),
    }
    return {name: "\n".join((NOTE, "", *lines)) + "\n" for name, lines in pages.items()}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table, line by line."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]


def code(text: str) -> str:
    """Return text in code style; nothing for nothing."""
    return f"`{text}`" if text else ""


def settings_page() -> list[str]:
    """List every setting with its variable, default and limits."""
    allowed = dict(_limits(Settings.model_json_schema()))
    rows = [
        (code(row.name), code(row.env), code(_default(row)), allowed[row.name], row.help)
        for row in describe(Settings())
    ]
    return [
        "# Settings",
        "",
        "A setting comes from its environment variable, else from the settings file, else it has its default.",
        f"The file is the one that `--config` or `{CONFIG_VARIABLE}` names: YAML, where the dots of a name are",
        "levels of the tree. A variable or key that is not in this table is an error.",
        "`stream-enforcer config show` lists the same with the values in force and where each was given.",
        "",
        *table(("setting", "environment variable", "default", "allowed", "meaning"), rows),
    ]


def _default(row: SettingRow) -> str:
    if row.value is None:
        return ""
    return row.value if isinstance(row.value, str) else json.dumps(row.value)


def _limits(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the dotted name of every setting and what values it takes."""

    def walk(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
        for name, field in node["properties"].items():
            if "$ref" in field:
                yield from walk(schema["$defs"][field["$ref"].rpartition("/")[2]], f"{path}{name}.")
            else:
                yield path + name, _limit(next(iter(field.get("anyOf", [field]))))

    return walk(schema, "")


def _limit(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(code(value) for value in field["enum"])
    if field["type"] == "integer":
        least, greatest = field["minimum"], field.get("maximum")
        return f"{least:,} or more" if greatest is None else f"{least:,} to {greatest:,}"
    if field["type"] == "boolean":
        return "`true`, `false`"
    if field["type"] == "array":
        return "JSON list"
    return {"path": "file", "password": "text, masked when shown"}.get(field.get("format", ""), "text")


def metrics_page() -> list[str]:
    """Show the metrics' catalogue and the histograms' buckets."""
    buckets = [
        (code(spec.name), ", ".join(f"{bound:g}" for bound in spec.buckets))
        for spec in CATALOGUE
        if spec.buckets
    ]
    return [
        "# Metrics",
        "",
        "`GET /metrics` on the HTTP port, in the Prometheus text format or, when asked for, OpenMetrics. No label",
        "names an account, an address or a person. Each replica counts what it did itself: sum over replicas.",
        "The metrics of the process, of Python and of its garbage collector that the Prometheus client library",
        "makes are served beside these.",
        "",
        catalogue_table().rstrip("\n"),
        "",
        "Upper bounds of the histograms' buckets, in seconds:",
        "",
        *table(("histogram", "buckets"), buckets),
        "",
        "A replay serves these with `--metrics HOST:PORT`, as long as it reads, beside those of its process:",
        "",
        catalogue_table(REPLAY).rstrip("\n"),
    ]


def facts_page() -> list[str]:
    """List the facts with their CEL type."""
    rows = [
        (
            code(spec.name),
            code(CEL_NAMES[spec.type]),
            "no" if spec.name in NOT_EVIDENCE else "yes",
            spec.metadata["help"],
        )
        for spec in fields(Facts)
    ]
    return [
        "# Facts",
        "",
        "What the condition of a rule may mention, and what every decision carries complete in its field `facts`.",
        "Shares are integers in millionths of a percent: 50 % is `50000000`. Days are UTC days. A country is an ISO",
        "3166-1 alpha-2 code in capitals. Besides the facts, a condition may mention `restricted`, a `list(string)`:",
        "the policy's own list of countries.",
        "",
        "The third column says whether the fact is part of a decision's `evidence_hash`.",
        "",
        *table(("fact", "CEL type", "in the evidence hash", "meaning"), rows),
    ]


def rules_page() -> list[str]:
    """List the rules of the default policy."""
    document = load_policy(None).document
    terms, ages = document.ownership, document.max_age_days
    over = "more than" if terms.strict else "at least"
    restricted = ", ".join(document.restricted)
    return [
        f"# Rules of the default policy, {code(document.id)}",
        "",
        f"Version {document.version}, mode {code(document.mode)}. Restricted countries: {restricted}.",
        f"Ownership counts when it is {over} {terms.threshold} %. On the account's day, geo data may be",
        f"{ages.geo} days old and ownership data {ages.ownership} days, or the decision is degraded.",
        "Any suspend wins over any review.",
        "",
        "The id of a rule is the `code` of the reason that it gives in a decision, and its `rule`. A policy of",
        "your own has the codes of its own rules. One code is no rule.",
        "",
        *table(("reason code", "outcome", "the sentence in the decision"), _reason_codes(document.rules)),
        *(line for rule in document.rules for line in _rule(rule)),
    ]


def _reason_codes(rules: Sequence[Rule]) -> Iterator[tuple[str, str, str]]:
    for rule in rules:
        yield f"[{code(rule.id)}](#{rule.id})", rule.outcome, rule.reason
    said = "Two people decided this by an override; see [overrides](../policy.md#overrides)."
    yield code(OVERRIDE), "allow or suspend", said


def _rule(rule: Rule) -> list[str]:
    shadow = ", in shadow mode" if rule.mode == "shadow" else ""
    return [
        "",
        f"## {rule.id}",
        "",
        f"**{rule.outcome}**{shadow}: {rule.reason}",
        "",
        "```",
        rule.when,
        "```",
    ]


def commands_page() -> list[str]:
    """List the commands with their arguments and options, as `--help` knows them."""
    lines = [
        "# Commands",
        "",
        "Data go to stdout, progress and errors to stderr. Exit codes: 0 done; 1 the answer is no, or the work",
        "failed; 2 wrong usage, configuration or input. `stream-enforcer --version` prints the version; every command",
        "has `--help`.",
    ]
    for path, command in commands(typer.main.get_command(app), ("stream-enforcer",)):
        lines += ["", *_command(" ".join(path), command)]
    return lines


def commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something; a group only holds others."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, child in below.items():
        yield from commands(child, (*path, name))


def _command(name: str, command: Any) -> list[str]:
    with typer.Context(command, info_name=name) as context:
        usage = command.get_usage(context).removeprefix("Usage: ")
        records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    rows = [
        (code(shown), " ".join(text.split())) for shown, text in records if not shown.startswith("--help")
    ]
    title = name.removeprefix("stream-enforcer ")
    lines = [f"## {title}", "", "```", usage, "```", "", command.help]
    return [*lines, "", *table(("argument or option", "meaning"), rows)] if rows else lines


def main() -> None:
    """Write the pages."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in reference_files().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
