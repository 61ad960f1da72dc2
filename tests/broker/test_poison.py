"""Storms of malformed records on a real broker, and dead letters that are sent back."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from zlib import crc32

import pytest
import yaml
from typer.testing import CliRunner, Result

from stream_enforcer.cli import app
from stream_enforcer.kafka.intake import CHUNK
from stream_enforcer.observe.health import ready
from stream_enforcer.settings import Poison
from tests.broker.stage import PARTITIONS, Stage, until
from tests.builders import ip, signup, world

BAD_KEY = b"storm"
LIMITS = Poison(max_consecutive=5)
HOME = crc32(BAD_KEY) % PARTITIONS
ELSEWHERE = [f"a{n}" for n in range(40) if crc32(f"a{n}".encode()) % PARTITIONS != HOME]


def cli(stage: Stage, folder: Path, *words: str) -> Awaitable[Result]:
    """Run a command with the stage's settings, beside the loop of the test."""
    file = folder / "settings.yaml"
    tree = stage.settings.model_dump(mode="json", include={"kafka", "topics"}, exclude_none=True)
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    line = ["dead-letters", *words, "--config", str(file)]
    return asyncio.to_thread(CliRunner().invoke, app, line)


async def test_a_storm_pauses_its_partition_until_the_next_start_and_the_others_go_on(stage: Stage) -> None:
    # More than one chunk in one fetch: what is fetched already must not be judged either.
    await stage.send_raw([(stage.topics.usage, BAD_KEY, b"{")] * (3 * CHUNK))
    async with stage.running(world(), poison=LIMITS) as running:
        why = f"partition {HOME} is paused: dead letters: 5 in a row in {stage.topics.usage}"
        await until(lambda: ready(running.health, time.monotonic()).reasons == (why,))
        await running.all_consumed(5)
        assert running.total("stream_enforcer_partition_paused") == 1
        sent = await stage.send([signup(name, ip=ip("us")) for name in ELSEWHERE])
        await stage.send([signup(BAD_KEY.decode(), ip=ip("us"))])
        await running.all_consumed(5 + sent)
    assert len(await stage.read(stage.topics.dead_letters)) == 5
    async with stage.running(world(), poison=LIMITS) as running:
        await until(lambda: running.consumed() >= 5)
    letters = await stage.read(stage.topics.dead_letters)
    offsets = [dict(letter.headers)["dlq.original.offset"] for letter in letters]
    assert offsets == [str(n).encode() for n in range(10)]


async def test_a_letter_that_is_sent_back_in_vain_comes_back_once_with_its_id(
    stage: Stage, tmp_path: Path
) -> None:
    async with stage.running(world()) as running:
        await until(running.ready)
        producer = stage.clients.producer(None)
        await producer.start()
        await producer.send_and_wait(
            stage.topics.usage, b"\xff", b"k", partition=2, headers=[("trace", b"t")]
        )
        await producer.stop()
        await running.all_consumed(1)
        dry = await cli(stage, tmp_path, "retry", "--dry-run")
        assert (dry.exit_code, dry.stdout) == (0, "1 would be sent back\n")
        other = await cli(stage, tmp_path, "retry", "--yes", "--class", "missing")
        assert (other.exit_code, other.stdout) == (0, "nothing to send back\n")
        for count in (1, 2):
            done = await cli(stage, tmp_path, "retry", "--yes", "--topic", stage.topics.usage)
            assert (done.exit_code, done.stdout) == (0, "1 sent back\n"), done.output
            await running.all_consumed(1 + count)
    letters = await stage.read(stage.topics.dead_letters)
    said = [dict(letter.headers) for letter in letters]
    assert [(letter.partition, letter.key, letter.value) for letter in letters] == [(2, b"k", b"\xff")] * 3
    assert [s["dlq.redrive.count"] for s in said] == [b"0", b"1", b"2"]
    assert [s["dlq.original.offset"] for s in said] == [b"0", b"1", b"2"]
    assert {s["dlq.id"] for s in said} == {f"{stage.topics.usage}-2-0".encode()}
    assert {s["trace"] for s in said} == {b"t"}
    assert all(len(dict(letter.headers)) == len(letter.headers) for letter in letters)


async def test_a_letter_that_was_cut_is_refused(stage: Stage, tmp_path: Path) -> None:
    async with stage.running(world()) as running:
        await until(running.ready)
        await stage.send_raw([(stage.topics.usage, b"a", b"\x00\xff" * 520_000)])
        await running.all_consumed(1)
    done = await cli(stage, tmp_path, "retry", "--yes")
    assert (done.exit_code, done.stdout) == (0, "nothing to send back\n")
    assert done.stderr == "1 cannot be sent back: cut, because it was too large\n"


async def test_letters_are_counted_and_listed_without_their_content(stage: Stage, tmp_path: Path) -> None:
    async with stage.running(world()) as running:
        await until(running.ready)
        garbage = [(stage.topics.usage, b"who", b"secret")] * 3
        sent = await stage.send_raw([*garbage, (stage.topics.signups, b"who", None)])
        await running.all_consumed(sent)
    counts = await cli(stage, tmp_path, "list", "--counts")
    assert counts.stdout == f"json_invalid\t{stage.topics.usage}\t3\ntombstone\t{stage.topics.signups}\t1\n"
    listed = await cli(stage, tmp_path, "list", "--class", "json_invalid", "--limit", "2")
    assert len(listed.stdout.splitlines()) == 2
    assert "secret" not in listed.stdout
    assert "who" not in listed.stdout
    shown = await cli(stage, tmp_path, "list", "--json", "--topic", stage.topics.usage)
    assert shown.stdout.count('"value":"secret"') == 3
    later = await cli(stage, tmp_path, "list", "--since", "2099-01-01")
    assert (later.exit_code, later.stdout) == (0, "")


@pytest.mark.parametrize("answer", ["", "n\n"])
async def test_without_a_terminal_or_consent_nothing_is_sent(
    stage: Stage, tmp_path: Path, answer: str
) -> None:
    done = await asyncio.to_thread(CliRunner().invoke, app, ["dead-letters", "retry"], input=answer)
    assert done.exit_code == 2
    assert done.stderr == "there is no terminal to ask on: give --yes or --dry-run\n"
