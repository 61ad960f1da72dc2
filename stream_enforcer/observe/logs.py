"""Logs: one JSON object per line on stderr, for our own events and for those of libraries alike.

An exception shows as its class and message; its traceback shows at level `debug` only. A line that comes
again and again, as from a client that cannot reach its broker, is held back and counted. No record's key or
value gets in: libraries are off below WARNING at any level, because a client's debug log holds its requests.
"""

import logging
import sys
import time
import traceback
from collections.abc import Callable
from typing import Final, Literal

import structlog
from pydantic import ValidationError
from structlog.types import EventDict, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["json", "console"]

OURS: Final = "stream_enforcer"
REPEATS: Final = 10
"""How often the same event is written in one window."""
WINDOW_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)

_KEYS_HELD = 1024
_HANDLER = "stream_enforcer.logs"
_DROPPED = "repeats_dropped"


def configure(level: Level, output: Format) -> None:
    """Set up structlog and the standard library's logging; calling it again replaces the set-up.

    Args:
        level: Least severe level of our own events. Libraries log from WARNING up, or from `level` if higher.
        output: JSON lines, or lines for people.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name(_HANDLER)
    handler.addFilter(RepeatLimiter(time.monotonic))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                _repeats_dropped,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _exception_with_frames if number <= logging.DEBUG else _exception,
                _renderer(output),
            ],
        )
    )
    root = logging.getLogger()
    # In one step: a line of another thread finds the old handler or the new one, and never none.
    root.handlers[:] = [*(old for old in root.handlers if old.get_name() != _HANDLER), handler]
    root.setLevel(max(number, logging.WARNING))
    logging.getLogger(OURS).setLevel(number)


class Verbosity:
    """The log level of a running process: `debug` for a while, and back to that of the settings."""

    def __init__(self, level: Level, output: Format) -> None:
        self._level = level
        self._output = output

    def debug(self) -> None:
        """Write everything from `debug` up."""
        configure("debug", self._output)
        log.info("log level changed", to="debug")

    def as_set(self) -> None:
        """Write what the settings say, and no more."""
        log.info("log level changed", to=self._level)  # said while it is still written
        configure(self._level, self._output)


class RepeatLimiter(logging.Filter):
    """Lets the same event through ten times in ten seconds, and says in the next one how many it held back.

    Events are the same when logger, event name or message template, and partition are. At most 1,024 of them
    are remembered; the one seen first is forgotten first.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a monotonic clock, in seconds."""
        super().__init__()
        self._clock = clock
        self._windows: dict[tuple[str, str, object], _Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to write the record; one that ends a silence gets the attribute `repeats_dropped`."""
        event = record.msg if isinstance(record.msg, dict) else {"event": record.msg}
        key = (record.name, str(event.get("event")), event.get("partition"))
        now = self._clock()
        window = self._windows.get(key)
        if window is None or now - window.began >= WINDOW_SECONDS:
            if window is not None and window.dropped:
                setattr(record, _DROPPED, window.dropped)
            self._windows.pop(key, None)
            self._windows[key] = _Window(now)
            if len(self._windows) > _KEYS_HELD:
                del self._windows[next(iter(self._windows))]
            return True
        window.written += 1
        if window.written <= REPEATS:
            return True
        window.dropped += 1
        return False


class _Window:
    __slots__ = ("began", "dropped", "written")

    def __init__(self, began: float) -> None:
        self.began = began
        self.written = 1
        self.dropped = 0


def _repeats_dropped(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    dropped = getattr(event["_record"], _DROPPED, 0)
    if dropped:
        event[_DROPPED] = dropped
    return event


def _exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    error = _error(event.pop("exc_info", None))
    if error is not None:
        event["error"] = type(error).__name__
        event["error_message"] = _message(error)
    return event


def _exception_with_frames(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    error = _error(event.get("exc_info"))
    if error is not None:
        # The frames alone: the text of a whole traceback holds the message, which may hold what was rejected.
        event["traceback"] = "".join(traceback.format_tb(error.__traceback__))
    return _exception(logger, method, event)


def _error(given: object) -> BaseException | None:
    """Return the exception in any of the forms that `exc_info` takes."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exc_info()[1] if given else None


def _message(error: BaseException) -> str:
    if isinstance(error, ValidationError):  # its text quotes the input
        return f"invalid {error.title}, errors: {error.error_count()}"
    return str(error)


def _renderer(output: Format) -> Processor:
    if output == "console":
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(sort_keys=True)
