"""Where the demo's data lies in the installed package; NOTICE says whose it is."""

from importlib.resources import files
from pathlib import Path
from typing import Final

_DATA: Final = Path(str(files("stream_enforcer.demo") / "data"))
"""The package is always installed unpacked, so its data are files."""


def country_files() -> tuple[Path, Path]:
    """Return the country tables, v4 and v6: real allocations of the five regional internet registries."""
    return _DATA / "country-ipv4.mmdb.xz", _DATA / "country-ipv6.mmdb.xz"


def hosting_file() -> Path:
    """Return the CIDR list of real networks of six cloud providers."""
    return _DATA / "hosting.txt.xz"


def geo_sources() -> list[str]:
    """Return the demo's geo sources as `load_geo` and the setting `geo` take them."""
    return [*map(str, country_files()), f"hosting={hosting_file()}"]


def ownership_file() -> Path:
    """Return the demo's ownership register in the native format; every company and person in it is invented."""
    return _DATA / "ownership.jsonl"
