"""Valid input for every decoder, from which the spoiled input is made."""

import csv
import io
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import orjson
import yaml

from stream_enforcer.domain.account_state import encode
from stream_enforcer.domain.events import Malformed
from stream_enforcer.kafka.changelog import (
    ACCOUNT_PREFIX,
    CHECKPOINT_KEY,
    COST_PREFIX,
    Checkpoint,
    Sweep,
    WorldId,
)
from stream_enforcer.kafka.dead_letters import Source, dead_letter
from tests.bods_builders import entity, relationship, shareholding
from tests.builders import Json, at, company, override, run, signup, stake, usage, world
from tests.mmdb_writer import mmdb
from tests.reference_sources import SOURCES
from tests.strategies import CLAIMS, OWNERSHIP

_SIGNUP: Final = signup(
    ip="192.0.2.1",
    email_domain="mail.example",
    declared_country="CN",
    billing_country="US",
    phone_country="DE",
    organization={
        **CLAIMS[0],
        "registration_number": "7",
        "registration_country": "SG",
        "domain": "proved.example",
    },
)
_USAGE: Final = usage(ip="2001:db8::7", model="m", input_tokens=1, output_tokens=2, cost_usd_micros=3)
_OVERRIDE: Final = override(rules=["headquarters-restricted"], expires_at="2026-03-09T00:00:00.5+01:00")
_HISTORY: Final = (_SIGNUP, {**_USAGE, "occurred_at": at(1)}, _OVERRIDE)
_DECIDED: Final = run(_HISTORY, world(OWNERSHIP), emit="every")
_WORLD_ID: Final = WorldId("p" * 64, "r" * 64)
_CHECKPOINT: Final = Checkpoint({"signups": 7, "usage": 9}, 4, _WORLD_ID, Sweep(_WORLD_ID, "a"))


def _lines(*documents: Any) -> bytes:
    return b"\n".join(orjson.dumps(document) for document in documents)


def _csv(*records: Json) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def _policy() -> tuple[bytes, bytes]:
    text = (files("stream_enforcer") / "policies" / "restricted-regions.yaml").read_bytes()
    return text, json.dumps(yaml.safe_load(text)).encode()


def _bods() -> list[Json]:
    details = {
        "jurisdiction": {"name": "Singapore", "code": "SG"},
        "addresses": [
            {"type": "registered", "country": "SG"},
            {"type": "business", "country": {"name": "China"}},
        ],
        "identifiers": [{"scheme": "XI-LEI", "id": "L1"}, {"scheme": "SG-ACRA", "id": "7"}],
        "alternateNames": ["other"],
    }
    person = {"recordId": "p", "recordType": "person", "recordDetails": {"names": [{"fullName": "P"}]}}
    share = {"exact": 60, "minimum": 50, "maximum": "75.5", "exclusiveMinimum": 50, "exclusiveMaximum": False}
    published = {"publicationDetails": {"publicationDate": "2026-01-02"}, "statementDate": "2026-01-01"}
    old = {
        "statementID": "s",
        "statementType": "entityStatement",
        "incorporatedInJurisdiction": {"code": "CN"},
    }
    return [
        {**entity("a", **details), **published, "replacesStatements": ["none"], "statementId": "st-a"},
        person,
        relationship({"describedByEntityStatement": "a"}, "a", shareholding(share, startDate="2020-01")),
        relationship(
            "p", "a", shareholding({"minimum": 1}, directOrIndirect="indirect"), recordStatus="closed"
        ),
        {**old, "entityType": "registeredEntity", "name": "Old"},
    ]


def _native() -> list[Json]:
    full = company(
        "full",
        "SG",
        headquarters="CN",
        aliases=["f"],
        identifiers={"lei": "F", "registration_number": "7", "domain": "f.example"},
        listings=[{"topic": "sanction", "program": "x", "since": "2020-01-01", "until": "2030-01-01"}],
    )
    parts = [
        stake("cn-holding", "full", "60.000001"),
        stake("x", "full", share_min=1, share_max=2, since="2020-01-01"),
    ]
    return [{"kind": "snapshot", "as_of": "2026-01-01"}, full, *parts, *OWNERSHIP]


def _geo() -> list[bytes]:
    country = {"1.1.1.0/24": {"country": {"iso_code": "CN"}}, "2600::/32": {"country_code": "US"}}
    asn = {"1.1.1.0/24": {"autonomous_system_number": 64500}, "8.8.8.0/24": {"asn": "AS64501"}}
    network = {"1.1.1.0/24": {"is_anonymous": True, "is_tor_exit_node": True}}
    return [mmdb(country), mmdb(asn, record_size=28), mmdb(network, record_size=32)]


def _dead_letter() -> bytes:
    source = Source("usage", 1, 2, 3, 0, b"key", b"value", [("theirs", b"x"), ("dlq.redrive.count", b"1")])
    letter = dead_letter(source, Malformed("validate", "bad_ip", "ip: no"), "group", 1_780_000_000_000)
    headers = (name.encode() + b": " + value for name, value in letter.headers)
    return b"\n".join((b"key", b"value", *headers))


def _states() -> list[bytes]:
    return [encode(account) for account in _DECIDED.accounts.values()]


_SETTINGS: Final[Json] = {
    "kafka": {
        "bootstrap_servers": "a:1,[::1]:2",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_username": "u",
        "sasl_password": "p",
        "ssl_certfile": "c.pem",
        "ssl_key_password": "k",
    },
    "topics": {"usage": "u", "partitions": 3},
    "geo": ["a.mmdb", "vpn=b"],
    "ownership": [],
    "emit": "every",
    "http": {"port": 0},
    "log_level": "info",
}

SEEDS: Final[Mapping[str, list[bytes]]] = {
    "events": [_lines(_SIGNUP), _lines(_USAGE), _lines(_OVERRIDE), _lines(*_HISTORY)],
    "policy": list(_policy()),
    "ownership": [
        _lines(*_native()),
        _lines(*_bods()),
        json.dumps(_bods(), indent=1).encode(),
        _csv(
            {
                "id": "a",
                "name": "A",
                "type": "company",
                "country": "CN",
                "aliases": "x|y",
                "listings": "sanction",
            }
        ),
        _csv(
            {
                "id": "s",
                "holder": "a",
                "held": "b",
                "share": "",
                "share_min": "1",
                "share_max": "2",
                "since": "",
            }
        ),
    ],
    "gleif": [content for form, content in SOURCES.items() if form.startswith("gleif")],
    "ftm": [SOURCES["ftm"]],
    "ownership_record": [_lines(record) for record in _native()[:4]],
    "geo": _geo(),
    "cidrs": [b"# list\n192.0.2.0/24\n\n2001:db8::/32 # v6\n1.1.1.1\n"],
    "state": _states(),
    "changelog": [
        b"\n".join(ACCOUNT_PREFIX + b"acct " + state for state in _states()),
        CHECKPOINT_KEY + b" " + _CHECKPOINT.encode(),
        ACCOUNT_PREFIX + b"acct " + _states()[0] + b"\n" + COST_PREFIX + b"acct [1,20780,3000000,20779,12]",
    ],
    "dead_letters": [_dead_letter(), b"\n\n"],
    "settings": [_lines(_SETTINGS), b"emit: every\nkafka:\n  group: g # comment\ngeo:\n- a\n"],
    "environment": [b'HTTP__PORT=0\nGEO=["a.mmdb"]\nKAFKA__GROUP=g\nKAFKA__SASL_PASSWORD=p'],
    "verify": [b"\n".join(_DECIDED.values)],
    "explain": [*_DECIDED.values],
}
"""Valid input, by the decoder's name."""
