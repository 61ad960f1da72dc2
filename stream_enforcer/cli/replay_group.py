"""`replay` without a subcommand is `replay run`, and `replay --reproduce` is `replay reproduce`."""

from typing import Any, Final

from typer.core import TyperGroup

REPRODUCE: Final = "--reproduce"


class ReplayGroup(TyperGroup):
    """Takes what is no subcommand for arguments of `run`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the subcommand that is meant before arguments that begin with none."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            others = [one for one in args if one != REPRODUCE]
            args = ["run", *args] if len(others) == len(args) else ["reproduce", *others]
        return super().parse_args(ctx, args)
