"""`replay` without a subcommand is `replay run`."""

from typing import Any

from typer.core import TyperGroup


class ReplayGroup(TyperGroup):
    """Takes what is no subcommand for arguments of `run`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `run` before arguments that begin with none of the subcommands."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)
