"""Read a policy file: YAML, checked by the models, its conditions compiled, every error with line and column."""

from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from pydantic import ValidationError

from stream_enforcer.domain.policy import BadRule, Policy, PolicyDocument, compile_policy

DEFAULT_POLICY: Final = "restricted-regions"


class BadPolicy(ValueError):
    """A policy file cannot be used; the text has one line per problem: file, line, column, field and what is wrong."""


class _Place(NamedTuple):
    line: int
    column: int
    verbatim: bool
    """Whether the text stands in the file as it is: on one line, without quotes or folding."""


_Location = tuple[str | int, ...]


def default_policy_path() -> Path:
    """Return the path of the packaged default policy."""
    return Path(str(files("stream_enforcer") / "policies" / f"{DEFAULT_POLICY}.yaml"))


def load_policy(path: Path | None) -> Policy:
    """Load and compile a policy.

    Args:
        path: The file; None for the packaged default.

    Raises:
        BadPolicy: It cannot be read, does not have a policy's form, or a condition does not compile.
    """
    path = path or default_policy_path()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy(f"{path}: cannot be read: {error}") from error
    return parse_policy(text, str(path))


def parse_policy(text: str, name: str) -> Policy:
    """Parse and compile a policy's text; `name` stands for the file in errors.

    Raises:
        BadPolicy: See `load_policy`.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise BadPolicy(f"{where}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise BadPolicy(f"{name}: not YAML: {error}") from error
    places: dict[_Location, _Place] = {}
    _locate(node, (), places)
    try:
        document = PolicyDocument.model_validate(data)
    except ValidationError as error:
        raise BadPolicy(_problems(name, error, places)) from error
    try:
        return compile_policy(document)
    except BadRule as error:
        raise BadPolicy(_rule_problem(name, error, document, places)) from error


def _locate(node: Any, path: _Location, places: dict[_Location, _Place]) -> None:
    if node is None:
        return
    start, end = node.start_mark, node.end_mark
    verbatim = isinstance(node, yaml.ScalarNode) and node.style is None and start.line == end.line
    places[path] = _Place(start.line + 1, start.column + 1, verbatim)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _locate(value, (*path, str(key.value)), places)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _locate(value, (*path, index), places)


def _nearest(path: _Location, places: dict[_Location, _Place]) -> _Place:
    while path and path not in places:
        path = path[:-1]
    return places.get(path, _Place(1, 1, False))


def _problems(name: str, error: ValidationError, places: dict[_Location, _Place]) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_context=False):
        place = _nearest(problem["loc"], places)
        field = ".".join(str(part) for part in problem["loc"]) or "policy"
        lines.append(f"{name}:{place.line}:{place.column}: {field}: {problem['msg']}")
    return "\n".join(lines)


def _rule_problem(
    name: str, error: BadRule, document: PolicyDocument, places: dict[_Location, _Place]
) -> str:
    rule = document.rules[error.index]
    start = places[("rules", error.index, "when")]
    column = start.column + error.column - 1 if start.verbatim else start.column
    shown = rule.when.splitlines()[error.line - 1]
    return (
        f"{name}:{start.line}:{column}: rule {rule.id}: {error} "
        f"(line {error.line}, column {error.column} of the condition)\n"
        f"  {shown}\n  {' ' * (error.column - 1)}^"
    )
