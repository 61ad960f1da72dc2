"""On a real Kafka: framed events in, decisions out with the trace of their event and as CloudEvents."""

import orjson

from tests.broker.stage import Stage, until
from tests.builders import signup, world

FRAME = b"\0\0\0\x01\x02"
TRACED = [("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ("tracestate", b"v=1")]


async def test_a_framed_and_traced_event_becomes_a_cloudevent_of_its_trace(stage: Stage) -> None:
    topic = stage.topics.signups
    async with stage.running(world(), cloudevents_source="/enforcer") as running:
        await until(running.ready)
        producer = stage.clients.producer(None)
        await producer.start()
        try:
            event = FRAME + orjson.dumps(signup("a", declared_country="CN"))
            await producer.send(topic, event, b"a", partition=1, headers=TRACED)
            await producer.send(topic, FRAME + b"no JSON", b"a", partition=1, headers=TRACED)
            await producer.flush()
        finally:
            await producer.stop()
        await running.all_consumed(2)
    (decided,) = await stage.read(stage.topics.decisions)
    decision = orjson.loads(decided.value)
    assert decision["action"] == "suspend"
    assert list(decided.headers[:2]) == TRACED
    assert dict(decided.headers)["ce_id"] == decision["decision_id"].encode()
    assert dict(decided.headers)["ce_source"] == b"/enforcer"
    (letter,) = await stage.read(stage.topics.dead_letters)
    assert letter.value == FRAME + b"no JSON"
    assert list(letter.headers[:2]) == TRACED
