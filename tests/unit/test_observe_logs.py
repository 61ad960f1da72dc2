"""One JSON object per line; no floods, no values, no tracebacks unless asked for."""

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import stream_enforcer
from stream_enforcer.observe.logs import (
    REPEATS,
    WINDOW_SECONDS,
    Level,
    RepeatLimiter,
    Verbosity,
    configure,
)

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("stream_enforcer")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    structlog.reset_defaults()


def ours() -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger("stream_enforcer.kafka.task")
    return logger


def connect() -> None:
    raise ConnectionError("no broker")


def lines(capture: Capture) -> list[dict[str, object]]:
    captured = capture.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_our_events_are_json_lines_on_stderr_in_utc(capsys: Capture) -> None:
    configure("info", "json")
    ours().info("partition restored", partition=3, accounts=10)
    ours().debug("not shown")
    (line,) = lines(capsys)
    stamp = str(line.pop("timestamp"))
    assert stamp.endswith("Z")
    assert line == {
        "event": "partition restored",
        "partition": 3,
        "accounts": 10,
        "level": "info",
        "logger": "stream_enforcer.kafka.task",
    }


def test_libraries_speak_from_warning_up_in_the_same_form(capsys: Capture) -> None:
    configure("debug", "json")
    client = logging.getLogger("aiokafka.consumer.group_coordinator")
    client.debug("Request %s", b"account-17")
    client.info("Joined group %s", "g")
    client.warning("Heartbeat failed for group %s", "g")
    (line,) = lines(capsys)
    assert line["event"] == "Heartbeat failed for group g"
    assert line["logger"] == "aiokafka.consumer.group_coordinator"
    assert line["level"] == "warning"
    assert "timestamp" in line


@pytest.mark.parametrize(
    ("level", "shown"), [("error", ["e"]), ("warning", ["w", "e"]), ("info", ["w", "e"])]
)
def test_the_level_holds_for_libraries_too(capsys: Capture, level: Level, shown: list[str]) -> None:
    configure(level, "json")
    library = logging.getLogger("uvicorn.error")
    library.info("i")
    library.warning("w")
    library.error("e")
    assert [line["event"] for line in lines(capsys)] == shown


def test_configuring_again_does_not_double_the_lines(capsys: Capture) -> None:
    configure("info", "json")
    configure("info", "json")
    ours().warning("once")
    assert len(lines(capsys)) == 1


def test_the_console_form_is_for_people(capsys: Capture) -> None:
    configure("info", "console")
    ours().info("partition restored", partition=3)
    text = capsys.readouterr().err
    assert "partition restored" in text
    assert not text.startswith("{")


@pytest.mark.parametrize("logger", ["stream_enforcer.x", "aiokafka"])
@pytest.mark.parametrize("level", ["info", "debug"])
def test_an_exception_is_class_and_message_and_has_frames_at_debug_only(
    capsys: Capture, level: Level, logger: str
) -> None:
    configure(level, "json")
    try:
        connect()
    except ConnectionError:
        if logger == "aiokafka":
            logging.getLogger(logger).exception("unable to connect")
        else:
            structlog.get_logger(logger).exception("unable to connect")
    (line,) = lines(capsys)
    assert (line["error"], line["error_message"]) == ("ConnectionError", "no broker")
    assert "exc_info" not in line
    assert ("traceback" in line) == (level == "debug")
    assert "test_observe_logs" in str(line.get("traceback", "test_observe_logs"))


@pytest.mark.parametrize("level", ["info", "debug"])
def test_a_validation_error_does_not_quote_what_it_rejected(capsys: Capture, level: Level) -> None:
    configure(level, "json")
    account = "account-" + str(17)  # not in one piece, or a source line of a frame would hold it
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(int).validate_python(account)
    ours().error("bad data", exc_info=caught.value)
    text = capsys.readouterr().err
    assert "invalid int, errors: 1" in text
    assert account not in text


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_the_level_of_a_running_process_goes_to_debug_and_back(capsys: Capture, level: Level) -> None:
    configure(level, "json")
    logger = ours()  # one that was made before, as those of modules are
    verbosity = Verbosity(level, "json")
    logger.debug("before")
    verbosity.debug()
    logger.debug("while")
    verbosity.debug()
    logger.debug("still")
    verbosity.as_set()
    logger.debug("after")
    logger.error("error")
    said = [(line["event"], line.get("to")) for line in lines(capsys)]
    before, after = ([(name, None)] if level == "debug" else [] for name in ("before", "after"))
    changes = [("log level changed", "debug"), ("while", None)]
    again = [("log level changed", "debug"), ("still", None)]
    back = [("log level changed", level)]
    assert said == [*before, *changes, *again, *back, *after, ("error", None)]


def test_libraries_stay_at_warning_while_we_are_at_debug(capsys: Capture) -> None:
    configure("error", "json")
    Verbosity("error", "json").debug()
    library = logging.getLogger("aiokafka.conn")
    library.debug("Request %s", b"account-17")
    library.warning("w")
    assert [line["event"] for line in lines(capsys)] == ["log level changed", "w"]


PERSONAL = {
    "account",
    "account_id",
    "key",
    "value",
    "ip",
    "address",
    "name",
    "email",
    "domain",
    "headers",
    "event_id",
}


def test_no_line_has_a_field_for_what_is_personal() -> None:
    fields = {
        keyword.arg
        for path in Path(stream_enforcer.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")
        for keyword in node.keywords
    }
    assert {"partition", "accounts", "seconds"} <= fields
    assert fields & PERSONAL == set()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def record(message: object, name: str = "aiokafka") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "f.py", 1, message, (), None)


def test_a_flood_is_cut_and_the_next_one_says_by_how_much() -> None:
    clock = Clock()
    limiter = RepeatLimiter(clock)
    assert sum(limiter.filter(record("Unable to connect to %s")) for _ in range(100)) == REPEATS
    assert limiter.filter(record("another"))
    clock.now = WINDOW_SECONDS
    after = record("Unable to connect to %s")
    assert limiter.filter(after)
    assert vars(after)["repeats_dropped"] == 100 - REPEATS
    again = record("Unable to connect to %s")
    assert limiter.filter(again)
    assert "repeats_dropped" not in vars(again)


def test_the_same_event_of_other_partitions_is_another() -> None:
    limiter = RepeatLimiter(Clock())
    events = [record({"event": "partition restored", "partition": p}) for p in range(3 * REPEATS)]
    assert all(limiter.filter(event) for event in events)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 4)), max_size=200))
def test_every_event_is_written_or_counted(steps: list[tuple[str, float]]) -> None:
    clock = Clock()
    limiter = RepeatLimiter(clock)
    written = told = 0
    for message, pause in [*steps, ("a", WINDOW_SECONDS), ("b", 0.0)]:
        clock.now += pause
        event = record(message)
        written += limiter.filter(event)
        told += vars(event).get("repeats_dropped", 0)
    assert written + told == len(steps) + 2


def test_memory_of_events_is_bounded() -> None:
    limiter = RepeatLimiter(Clock())
    for number in range(3000):
        limiter.filter(record(f"event {number}"))
    assert len(limiter._windows) == 1024


def test_a_cut_flood_reaches_the_output_with_its_count(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("stream_enforcer.observe.logs.time.monotonic", clock)
    configure("info", "json")
    for attempt in range(REPEATS + 5):
        logging.getLogger("aiokafka").error("Unable to connect, attempt %d", attempt)
    clock.now = WINDOW_SECONDS
    logging.getLogger("aiokafka").error("Unable to connect, attempt %d", 99)
    shown = lines(capsys)
    assert len(shown) == REPEATS + 1
    assert shown[-1]["repeats_dropped"] == 5
    assert "repeats_dropped" not in shown[0]
