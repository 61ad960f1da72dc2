"""The `ownership` objects of a report, each different one once, made of holdings that are each kept once too."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from stream_enforcer.replay.report.strings import NONE, Distinct, Strings

_READINGS: Final = ("control", "effective", "single_owner")


class Holdings:
    """Takes `ownership` objects and gives them as lists of places."""

    def __init__(self, strings: Strings) -> None:
        """Begin without objects.

        Args:
            strings: Takes the texts.
        """
        self._strings = strings
        self._entities: dict[str, tuple[int, int]] = {}
        self._edges = Distinct()
        self._seen: dict[bytes, int] = {}
        self._objects: list[Any] = []

    def place(self, ownership: Mapping[str, Any] | None, names: Mapping[str, str]) -> int:
        """Return where an object stands, or NONE.

        Args:
            ownership: The object.
            names: Names of its entities, by id; one without a name is shown by its id.
        """
        if ownership is None:
            return NONE
        key = orjson.dumps(ownership, option=orjson.OPT_SORT_KEYS)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = len(self._objects)
            self._objects.append(self._packed(ownership, names))
        return found

    def _packed(self, ownership: Mapping[str, Any], names: Mapping[str, str]) -> list[Any]:
        text, match = self._strings.place, ownership["match"]
        readings = [ownership[name] for name in _READINGS]
        return [
            self._entity(ownership["entity"], names),
            [text(match["kind"]), match["score"]],
            [ownership["threshold"], int(ownership.get("strict", True))],
            [[text(reading["verdict"]), reading["min"], reading["max"]] for reading in readings],
            int(ownership.get("proof_complete", True)),
            [self._edge(edge, names) for edge in ownership["proof"]],
        ]

    def _edge(self, edge: Mapping[str, Any], names: Mapping[str, str]) -> int:
        return self._edges.place(
            (
                self._entity(edge["holder"], names),
                self._entity(edge["held"], names),
                edge["min"],
                edge["max"],
                *(self._strings.place(edge.get(name)) for name in ("since", "country", "source")),
            )
        )

    def _entity(self, entity: str, names: Mapping[str, str]) -> int:
        """Return the place of an entity's id; its name is looked up once."""
        known = self._entities.get(entity)
        if known is None:
            known = (self._strings.place(entity), self._strings.place(names.get(entity)))
            self._entities[entity] = known
        return known[0]

    def to_json(self) -> dict[str, Any]:
        """Return the objects, the holdings they are made of, and the names by the place of their id."""
        named = {str(of): name for of, name in self._entities.values() if name != NONE}
        return {"ownership": self._objects, "edges": self._edges.items, "names": named}
