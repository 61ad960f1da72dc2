"""Whether transactions are traced, and by what; OpenTelemetry itself stays in `tracing`, and out where it is off."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Any, Final, Protocol

from stream_enforcer.observe.trace_context import Traces
from stream_enforcer.settings import BadSettings, Problem, Settings

NEEDED: Final = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")


class Traced(Protocol):
    """What a span says of a transaction's work."""

    @property
    def records(self) -> Mapping[str, int]:
        """Records taken, by input topic."""

    @property
    def decisions(self) -> Collection[Any]:
        """Decisions to publish."""

    @property
    def dead_letters(self) -> Collection[Any]:
        """Dead letters to publish."""

    @property
    def traces(self) -> Traces:
        """Which traces the records belong to."""


class Spans(Protocol):
    """Makes spans, or nothing."""

    def transaction(self, partition: int, work: Traced) -> AbstractContextManager[None]:
        """Return what to commit work within: the span ends with it, and tells the class of an error."""

    def end(self, seconds: float) -> None:
        """Send what is left, for so long at most; blocks."""


class NoSpans:
    """Makes no spans."""

    _NOTHING: Final = nullcontext()

    def transaction(self, partition: int, work: Traced) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        del partition, work
        return self._NOTHING

    def end(self, seconds: float) -> None:
        """Do nothing."""
        del seconds


NO_SPANS: Final = NoSpans()


def check_tracing(settings: Settings) -> None:
    """Make sure that the spans that are asked for can be made.

    Raises:
        BadSettings: The extra `otel` is not installed.
    """
    if settings.tracing != "none" and not all(_is_installed(module) for module in NEEDED):
        reason = "needs the extra `otel`: pip install 'stream-enforcer[otel]'"
        raise BadSettings((Problem("tracing", settings.tracing, settings.origin("tracing"), reason),))


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor is the package that it is in
        return False


def start_spans(settings: Settings) -> Spans:
    """Return what makes spans as the settings say.

    Raises:
        BadSettings: See `check_tracing`.
    """
    check_tracing(settings)
    if settings.tracing == "none":
        return NO_SPANS
    from stream_enforcer.observe.tracing import start_exporting  # noqa: PLC0415 - its imports are an extra

    return start_exporting(settings.kafka.group)
