"""The page: what the template needs, and the policy of what it may run.

The page holds one style and one script. Its content security policy names both by hash and forbids everything
else (W3C, Content Security Policy Level 3): text that got past the escaping could still not run, and nothing
can be fetched or sent.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

import orjson
from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
from markupsafe import Markup

from stream_enforcer.replay.report.columns import packed
from stream_enforcer.replay.report.content import content
from stream_enforcer.replay.report.curves import by_rank
from stream_enforcer.replay.report.wording import (
    change,
    day_of,
    money,
    percent,
    short_money,
    told,
    visible,
    whole,
)

_FILES: Final = files("stream_enforcer.replay.report") / "web"
_STYLES: Final = ("page.css", "accounts.css")
_SCRIPTS: Final = ("words.js", "rows.js", "ownership.js", "opened.js", "table.js", "page.js")
_NEVER_IN_HTML: Final = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_ESCAPES: Final = str.maketrans(_NEVER_IN_HTML)


def report(summary: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Write the result of a replay as one HTML file; equal results give equal bytes.

    Args:
        summary: The object of `summary.json`.
        rows: Those of `changes.jsonl`, one for each account whose outcome differs.

    Raises:
        ValueError: A day or time is none; the message names it.
    """
    table = packed(rows)
    columns = table["columns"]
    costs: dict[str, list[int]] = {kind: [] for kind in table["kinds"]}
    for kind, cost in zip(columns["kind"], columns["cost"], strict=True):
        costs[table["kinds"][kind]].append(cost)
    style = "\n".join(_text(name) for name in _STYLES)
    script = "(() => {\n'use strict';\n" + "\n".join(_text(name) for name in _SCRIPTS) + "\n})();"
    html = (
        _environment()
        .get_template("page.html")
        .render(
            **content(summary),
            rank=by_rank(costs["suspended"], costs["lifted"]),
            style=Markup(style),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - files of this package
            csp=_content_security_policy(style, script),
            table=embedded(table),
        )
    )
    return html.encode()


def embedded(value: Any) -> Markup:
    """Write JSON so that it can stand in a script element: nothing in it can end the element or begin another."""
    return Markup(orjson.dumps(value).decode().translate(_ESCAPES))  # noqa: S704 - escaped on this line


def _content_security_policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _text(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8").strip()


class _PackageFiles(BaseLoader):
    """Finds templates beside this module, also where the package is not a folder."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, None]:  # noqa: ARG002
        try:
            return (_FILES / f"{template}.jinja").read_text(encoding="utf-8"), None, None
        except FileNotFoundError as error:
            raise TemplateNotFound(template) from error


def _environment() -> Environment:
    environment = Environment(
        loader=_PackageFiles(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "change": lambda side: change(side["old"], side["new"]),
        "day": day_of,
        "money": money,
        "short_money": short_money,
        "told": told,
        "visible": visible,
        "whole": whole,
    }
    environment.globals["percent"] = percent
    return environment
