"""What is wrong with a setting, and where it was given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        field: Dotted name of the setting, such as `kafka.group`; None when the fault lies in no one field.
        value: The value as text, masked when secret; None when there is nothing that may be shown.
        origin: Where the value was given; None when that is not known.
        reason: What is wrong with it.
    """

    field: str | None
    value: str | None
    origin: str | None
    reason: str

    def __str__(self) -> str:
        if self.field is None:
            return self.reason if self.origin is None else f"{self.origin}: {self.reason}"
        shown = "" if self.value is None else f" = {self.value}"
        origin = "" if self.origin is None else f" ({self.origin})"
        return f"{self.field}{shown}{origin}: {self.reason}"


class BadSettings(Exception):
    """Settings that the service cannot start with; the text has one line per problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
