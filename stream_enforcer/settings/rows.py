"""The settings as a list: for `config show`, for the documentation and for naming the place of an error."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import get_args

from pydantic import BaseModel, SecretStr

from stream_enforcer.settings.model import Settings

PREFIX = "STREAM_ENFORCER_"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting: its dotted name, its environment variable, its help, and whether it is secret."""

    name: str
    env: str
    help: str
    secret: bool


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as it stands. `value` is a JSON value; a secret is masked."""

    name: str
    env: str
    value: object
    origin: str
    help: str


def section(annotation: object) -> type[BaseModel] | None:
    """Return the model when the annotation is a section of the tree, None when it is a leaf."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _mentions(annotation: object, kind: type) -> bool:
    return annotation is kind or any(_mentions(part, kind) for part in get_args(annotation))


def _leaves(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[Leaf]:
    for name, field in model.model_fields.items():
        here = (*path, name)
        below = section(field.annotation)
        if below is not None:
            yield from _leaves(below, here)
            continue
        yield Leaf(
            name=".".join(here),
            env=PREFIX + "__".join(here).upper(),
            help=field.description or "",
            secret=_mentions(field.annotation, SecretStr),
        )


LEAVES: Mapping[str, Leaf] = MappingProxyType({leaf.name: leaf for leaf in _leaves(Settings, ())})
"""Every setting by its dotted name, in the order of the tree."""


def describe(settings: Settings) -> list[SettingRow]:
    """List every setting with its value, where it was given, and its help; secrets are masked."""
    tree = settings.model_dump(mode="json")
    rows = []
    for leaf in LEAVES.values():
        value = tree
        for step in leaf.name.split("."):
            value = value[step]
        rows.append(SettingRow(leaf.name, leaf.env, value, settings.origin(leaf.name), leaf.help))
    return rows
