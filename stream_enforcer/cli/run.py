"""`stream-enforcer run`: the service."""

import asyncio
import math
import signal
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import structlog
import typer
import uvloop
from prometheus_client import CollectorRegistry

from stream_enforcer.cli.collection import rare_collection
from stream_enforcer.cli.config import ConfigFile, refused, settings_or_exit
from stream_enforcer.cli.following import follow_files
from stream_enforcer.domain.account_state import UnknownFormat
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.changelog import ChangelogUnreadable
from stream_enforcer.kafka.dead_letters import VERSION
from stream_enforcer.kafka.failures import Fatal
from stream_enforcer.kafka.refusal import Refused
from stream_enforcer.kafka.service import Service
from stream_enforcer.kafka.topics import TopicsMismatch
from stream_enforcer.observe.health import Health, ready
from stream_enforcer.observe.http import HttpServer, build_app
from stream_enforcer.observe.logs import Verbosity, configure
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.observe.spans import Spans, start_spans
from stream_enforcer.observe.watchdog import Watchdog
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.policy_file import BadPolicy
from stream_enforcer.reference.world_files import load_world
from stream_enforcer.settings import BadSettings, Settings, kafka_security

log = structlog.get_logger(__name__)

SPANS_SECONDS: Final = 1.0
"""Time that the last spans have to be sent, after all else has ended."""
SECONDS_PER_DAY: Final = 86_400


def run(config: ConfigFile = None) -> None:
    """Read events from Kafka, publish decisions, until SIGTERM or Ctrl-C; then drain and exit."""
    if not __debug__:
        typer.echo("run it without -O: the Kafka client checks its own state by assertions", err=True)
        raise typer.Exit(2)
    settings = settings_or_exit(config)
    configure(settings.log_level, settings.log_format)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)  # which would end a process that has not come to listen to them
    try:
        kafka_security(settings.kafka)
        spans = start_spans(settings)
        loaded = load_world(settings.policy, settings.geo, settings.ownership)
        for reason, count in loaded.skipped.items():
            log.warning("ownership statements skipped", reason=reason, count=count)
        uvloop.run(_serve(settings, loaded.world, spans))
    except BadSettings as error:
        raise refused(error) from error
    except (BadPolicy, BadReference, TopicsMismatch, Refused) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except (Fatal, ChangelogUnreadable, UnknownFormat) as error:
        log.error("ending", reason=str(error))  # noqa: TRY400 - the message says all; a traceback would not
        raise typer.Exit(1) from error


async def _serve(settings: Settings, world: World, spans: Spans) -> None:
    metrics = Metrics(CollectorRegistry(), VERSION)
    policy = world.policy.identity
    metrics.policy_in_force(policy["id"], policy["version"], policy["hash"], policy["mode"])
    health = Health(beat_at=time.monotonic())
    health.reference_loaded = True
    metrics.ready_when(lambda: ready(health, time.monotonic()).ok)
    service = Service(settings, world, metrics, health, spans)
    _follow_signals(service, Verbosity(settings.log_level, settings.log_format))
    app = build_app(
        metrics.registry, health, lambda: describe_world(service.world, datetime.now(UTC)), time.monotonic
    )
    http = await HttpServer.serve(app, settings.http.host, settings.http.port)
    log.info("serving", http=f"http://{settings.http.host}:{http.port}", policy=policy["id"], version=VERSION)
    _measure_ages(metrics, service)
    following = partial(follow_files, settings.ownership, world, service.rebase, metrics)
    try:
        with rare_collection(), Watchdog(health):
            await service.run(following)
    finally:
        await http.stop()
        spans.end(SPANS_SECONDS)  # nothing else runs any more that it could hold up


def _follow_signals(service: Service, verbosity: Verbosity) -> None:
    """End on SIGTERM and SIGINT; SIGUSR1 turns debug logs on, SIGUSR2 off again."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    loop.add_signal_handler(signal.SIGUSR1, verbosity.debug)
    loop.add_signal_handler(signal.SIGUSR2, verbosity.as_set)


def describe_world(world: World, now: datetime) -> dict[str, Any]:
    """Return what `/world` shows: hashes, dates, ages in seconds, and the vocabulary's size; nothing personal."""
    reference = {kind: dict(facts) for kind, facts in world.reference.items()}
    for facts, date_name in ((reference["geo"], "built_at"), (reference["ownership"], "as_of")):
        facts["age_seconds"] = _age(facts[date_name], now)
    return {
        "policy": {**world.policy.identity, "rules": len(world.policy.rules)},
        "restricted": sorted(world.policy.restricted),
        "reference": reference,
        "version": VERSION,
    }


def _age(day: str | None, now: datetime) -> int | None:
    if day is None:
        return None
    return int((now - datetime.fromisoformat(day).replace(tzinfo=UTC)).total_seconds())


def _measure_ages(metrics: Metrics, service: Service) -> None:
    limits = service.world.policy.max_age_days
    for kind, date_name, most_days in (
        ("geo", "built_at", limits.geo),
        ("ownership", "as_of", limits.ownership),
    ):
        metrics.reference_max_age.labels(kind).set(most_days * SECONDS_PER_DAY)
        if service.world.reference[kind][date_name] is not None:
            age = partial(_age_now, service, kind, date_name)
            metrics.reference_age.labels(kind).set_function(age)


def _age_now(service: Service, kind: str, date_name: str) -> float:
    """Return the age of reference data in force, in seconds; not a number where they say no date."""
    day = service.world.reference[kind][date_name]
    return (
        math.nan if day is None else time.time() - datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    )
