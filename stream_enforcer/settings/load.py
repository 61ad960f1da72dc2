"""Put the settings together from their sources and say everything that is wrong with them at once."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from stream_enforcer.settings.model import Settings
from stream_enforcer.settings.problems import BadSettings, Problem
from stream_enforcer.settings.rows import LEAVES, PREFIX
from stream_enforcer.settings.yaml_file import FileContent, read_yaml

CONFIG_VARIABLE = PREFIX + "CONFIG"
"""The variable that names the settings file; the one variable that is no setting itself."""

# Kubernetes puts the addresses of a namespace's services into each of its pods ("service links"). A service
# called `stream-enforcer`, or `stream-enforcer-` and more, gives variables with our prefix.
_SERVICE_LINK = re.compile(
    r"STREAM_ENFORCER_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?)"
)
_SERVICE_URL = re.compile(r"(tcp|udp|sctp)://\S+")

MASK = "**********"
_CREDENTIALS = re.compile(r"(?<![^\s'\"])[^\s'\"]*@")
"""User and password in an address, where they do not belong."""


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings: the environment wins over the file, the file over the defaults.

    Args:
        config: The YAML file; None takes the one that `STREAM_ENFORCER_CONFIG` names, if any.
        environ: The environment variables. Nothing else is read of the process.

    Raises:
        BadSettings: Something is wrong; the text has one line for each thing.
    """
    named = environ.get(CONFIG_VARIABLE)
    path = config or (Path(named) if named else None)
    content = FileContent() if path is None else read_yaml(path)
    origins = content.origins | {
        leaf.name: f"environment variable {leaf.env}" for leaf in LEAVES.values() if leaf.env in environ
    }
    problems = [*_unknown_variables(environ), *content.problems]
    try:
        settings = Settings(**_merged(content.tree, _environment_tree(environ)))
    except ValidationError as error:
        problems += _problems(error, origins)
    if problems:
        raise BadSettings(tuple(problems))
    return settings.with_origins(origins)


def _environment_tree(environ: Mapping[str, str]) -> dict[str, Any]:
    source = EnvSettingsSource(Settings)
    source.env_vars = {leaf.env.lower(): environ[leaf.env] for leaf in LEAVES.values() if leaf.env in environ}
    return source()


def _merged(weak: Mapping[str, object], strong: Mapping[str, object]) -> dict[str, Any]:
    both: dict[str, Any] = dict(weak)
    for key, value in strong.items():
        below = both.get(key)
        both[key] = _merged(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return both


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[Problem]:
    known = {CONFIG_VARIABLE, *(leaf.env for leaf in LEAVES.values())}
    for name in sorted(environ):
        if not name.upper().startswith(PREFIX) or name in known or _is_service_link(name, environ[name]):
            continue
        # Without the prefix, which is so long that all names would look alike.
        short = {variable.removeprefix(PREFIX): variable for variable in known}
        close = get_close_matches(name.upper().removeprefix(PREFIX), short, n=1)
        meant = f"; did you mean {short[close[0]]}?" if close else ""
        # The value stays unsaid: it may be a password under a misspelt name.
        yield Problem(None, None, f"environment variable {name}", f"is not a setting{meant}")


def _is_service_link(name: str, value: str) -> bool:
    if _SERVICE_LINK.fullmatch(name):
        return True
    return name.endswith("_PORT") and _SERVICE_URL.fullmatch(value) is not None


def _problems(error: ValidationError, origins: Mapping[str, str]) -> Iterator[Problem]:
    for detail in error.errors(include_url=False, include_context=False):
        field = ".".join(str(step) for step in detail["loc"])
        leaf = next(leaf for leaf in LEAVES.values() if f"{field}.".startswith(f"{leaf.name}."))
        given = detail["input"]
        value = MASK if leaf.secret and given is not None else _CREDENTIALS.sub(f"{MASK}@", repr(given))
        reason = _CREDENTIALS.sub(f"{MASK}@", detail["msg"].removeprefix("Value error, "))
        yield Problem(field, value, origins.get(leaf.name, "default"), reason)
