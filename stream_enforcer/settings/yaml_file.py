"""Read the settings file: a YAML mapping with the tree of `Settings`, each value with its line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel

from stream_enforcer.plain_yaml import PlainLoader
from stream_enforcer.settings.model import Settings
from stream_enforcer.settings.problems import BadSettings, Problem
from stream_enforcer.settings.rows import section

# What the parser quotes may be a password that begins with a mark of YAML; its own names stand in <>.
_QUOTED: Final = re.compile(r"""(['"])(?!<).{2,}\1""")


@dataclass(slots=True)
class FileContent:
    """What a settings file says.

    Attributes:
        tree: The values as nested dicts, ready to validate.
        origins: Dotted name of a setting -> file and line.
        problems: Keys that are unknown or given twice, and sections that are no mappings.
    """

    tree: dict[str, object] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_yaml(path: Path) -> FileContent:
    """Read the file and sort what it says into values and problems.

    Raises:
        BadSettings: The file cannot be read, or is not YAML; the text names file, line and column.
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise _unreadable(f"file {path}", error.strerror or type(error).__name__) from error
    except UnicodeDecodeError as error:
        raise _unreadable(_place(path, error.object[: error.start].decode()), "is not UTF-8") from error
    content = FileContent()
    try:
        loader = PlainLoader(text)
        root = loader.get_single_node()
        if root is not None:
            content.tree = _Walk(path, loader, content).mapping(root, Settings, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (
            f"file {path}" if mark is None else f"file {path}, line {mark.line + 1}, column {mark.column + 1}"
        )
        problem = _QUOTED.sub("'…'", str(error.problem or error.context))
        raise _unreadable(place, f"is not valid YAML: {problem}") from None  # its text quotes the file
    except RecursionError:
        raise _unreadable(f"file {path}", "is nested too deeply") from None
    except yaml.reader.ReaderError as error:
        raise _unreadable(
            _place(path, text[: error.position]), "holds a character that YAML forbids"
        ) from None
    return content


def _unreadable(place: str, reason: str) -> BadSettings:
    return BadSettings((Problem(None, None, place, reason),))


def _place(path: Path, before: str) -> str:
    line = before.count("\n")
    return f"file {path}, line {line + 1}, column {len(before) - before.rfind(chr(10))}"


@dataclass(frozen=True, slots=True)
class _Walk:
    """Goes down the nodes of one document side by side with the model, because nodes know their lines."""

    path: Path
    loader: PlainLoader
    content: FileContent

    def mapping(self, node: yaml.Node, model: type[BaseModel], above: tuple[str, ...]) -> dict[str, object]:
        """Read one section, noting origins and problems on the way."""
        values: dict[str, object] = {}
        seen: set[str] = set()
        for key, child in self._pairs(node, above):
            name = ".".join((*above, key))
            if key not in model.model_fields:
                self._problem(name, child, "is not a setting" + _meant(key, model))
            elif key in seen:
                self._problem(name, child, "is given twice")
            else:
                below = section(model.model_fields[key].annotation)
                values[key] = (
                    self._value(name, child) if below is None else self.mapping(child, below, (*above, key))
                )
            seen.add(key)
        return values

    def _pairs(self, node: yaml.Node, above: tuple[str, ...]) -> Iterator[tuple[str, yaml.Node]]:
        if isinstance(node, yaml.MappingNode):
            for key, child in node.value:
                yield key.value if isinstance(key, yaml.ScalarNode) else "?", child
        elif node.tag != "tag:yaml.org,2002:null":  # a section whose lines are all commented out is null
            self._problem(".".join(above), node, "must be a mapping")

    def _value(self, name: str, node: yaml.Node) -> object:
        self.content.origins[name] = self._origin(node)
        value: object = self.loader.construct_object(node, deep=True)
        return value

    def _origin(self, node: yaml.Node) -> str:
        return f"file {self.path}, line {node.start_mark.line + 1}"

    def _problem(self, name: str, node: yaml.Node, reason: str) -> None:
        self.content.problems.append(Problem(name or None, None, self._origin(node), reason))


def _meant(key: str, model: type[BaseModel]) -> str:
    close = get_close_matches(key, model.model_fields, n=1)
    return f"; did you mean {close[0]}?" if close else ""
