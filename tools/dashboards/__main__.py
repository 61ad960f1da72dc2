"""Writes the dashboards."""

from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from tools.dashboards import overview, replay, tasks, world

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"


def dashboards() -> dict[str, str]:
    """Return every dashboard as JSON, by file name."""
    boards = {
        "overview": overview.board(),
        "kafka-tasks": tasks.board(),
        "policy-and-reference": world.board(),
        "replay": replay.board(),
    }
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {f"{name}.json": encoder.encode(board.build()) + "\n" for name, board in boards.items()}


def main() -> None:
    """Write them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in dashboards().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
