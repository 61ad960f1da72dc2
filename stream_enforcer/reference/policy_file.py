"""Read a policy file: YAML, checked by the models, its conditions compiled, every error with line and column."""

from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from pydantic import ValidationError

from stream_enforcer.domain.policy import BadCondition, BadRules, Policy, PolicyDocument, compile_policy
from stream_enforcer.plain_yaml import PlainLoader

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


def policy_text(path: Path | None) -> str:
    """Return a policy as it is written.

    Args:
        path: The file; None for the packaged default.

    Raises:
        BadPolicy: It cannot be read.
    """
    path = path or default_policy_path()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy(f"{path}: cannot be read: {error}") from error


def load_policy(path: Path | None) -> Policy:
    """Load and compile a policy.

    Args:
        path: The file; None for the packaged default.

    Raises:
        BadPolicy: It cannot be read, does not have a policy's form, or a condition does not compile.
    """
    return parse_policy(policy_text(path), str(path or default_policy_path()))


def parse_policy(text: str, name: str) -> Policy:
    """Parse and compile a policy's text; `name` stands for the file in errors.

    Raises:
        BadPolicy: See `load_policy`.
    """
    try:
        node = yaml.compose(text, Loader=PlainLoader)
        data = yaml.load(text, PlainLoader)  # noqa: S506 - it is a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise BadPolicy(f"{where}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise BadPolicy(f"{name}: not YAML: {error}") from error
    except RecursionError as error:
        raise BadPolicy(f"{name}: nested too deeply") from error
    places = _Places(name)
    places.locate(node, ())
    try:
        document = PolicyDocument.model_validate(data)
    except ValidationError as error:
        raise BadPolicy(_problems(name, error, places)) from error
    try:
        return compile_policy(document)
    except BadRules as error:
        problems = [_rule_problem(name, bad, document, places) for bad in error.conditions]
        raise BadPolicy("\n".join(problems)) from error


class _Places:
    """Where each part of a document stands in its file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: dict[_Location, _Place] = {}

    def locate(self, node: Any, path: _Location) -> None:
        """Note the places of a node and of all below it; refuse a key given twice."""
        if node is None:
            return
        start, end = node.start_mark, node.end_mark
        verbatim = isinstance(node, yaml.ScalarNode) and node.style is None and start.line == end.line
        self._found[path] = _Place(start.line + 1, start.column + 1, verbatim)
        if isinstance(node, yaml.MappingNode):
            self._locate_fields(node, path)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self.locate(value, (*path, index))

    def _locate_fields(self, node: yaml.MappingNode, path: _Location) -> None:
        names: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in names:
                mark = key.start_mark
                raise BadPolicy(f"{self._name}:{mark.line + 1}:{mark.column + 1}: {name} is given twice")
            names.add(name)
            self.locate(value, (*path, name))

    def nearest(self, path: _Location) -> _Place:
        """Return the place of a part, or of the nearest one above it that stands in the file."""
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, _Place(1, 1, verbatim=False))


def _problems(name: str, error: ValidationError, places: _Places) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        if problem["type"] == "too_short" and problem["input"]:
            continue  # what follows from items that are refused, each on a line of its own
        place = places.nearest(problem["loc"])
        field = ".".join(str(part) for part in problem["loc"]) or "policy"
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "model_type":
            message = "must be a mapping of settings"
        lines.append(f"{name}:{place.line}:{place.column}: {field}: {message}")
    return "\n".join(lines)


def _rule_problem(name: str, bad: BadCondition, document: PolicyDocument, places: _Places) -> str:
    rule = document.rules[bad.rule]
    start = places.nearest(("rules", bad.rule, "when"))
    column = start.column + bad.column - 1 if start.verbatim else start.column
    shown = rule.when.splitlines()[bad.line - 1]
    return (
        f"{name}:{start.line}:{column}: rule {rule.id}: {bad.message} "
        f"(line {bad.line}, column {bad.column} of the condition)\n"
        f"  {shown}\n  {' ' * (bad.column - 1)}^"
    )
