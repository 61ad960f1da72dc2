"""The error that every reader of reference data raises for a bad file."""


class BadReference(ValueError):
    """Name the place in a reference file that can't be read, and why.

    Args:
        path: The file, as the operator gave it.
        message: What is wrong, in one sentence.
        line: The line, counted from 1, where it is known.
        field: The field or the path of it, where one field is to blame.
    """

    def __init__(self, path: str, message: str, *, line: int | None = None, field: str | None = None) -> None:
        self.path = path
        self.message = message
        self.line = line
        self.field = field
        place = path if line is None else f"{path}:{line}"
        blamed = "" if field is None else f" field {field}:"
        super().__init__(f"{place}:{blamed} {message}")
