"""Country codes from what ownership publishers write: a code, a subdivision's code, or a name in English."""

import re
from typing import Final

from stream_enforcer.domain.countries import ISO_3166_1

COUNTRIES: Final = ISO_3166_1 | {"XK"}
"""The codes that reference data may have: ISO 3166-1, and the user-assigned one that LEI data give Kosovo."""

_CODE: Final = re.compile(r"([A-Za-z]{2})(-[A-Za-z0-9]{1,3})?")

# Publishers mostly give codes. Names are known only for countries that restrictions are commonly about, so that
# a record which names one in words is not lost; other names stay unknown and are counted by the reader.
_NAMES: Final = {
    "afghanistan": "AF",
    "islamic republic of afghanistan": "AF",
    "belarus": "BY",
    "republic of belarus": "BY",
    "burma": "MM",
    "myanmar": "MM",
    "china": "CN",
    "mainland china": "CN",
    "peoples republic of china": "CN",
    "cuba": "CU",
    "republic of cuba": "CU",
    "hong kong": "HK",
    "hong kong sar": "HK",
    "iran": "IR",
    "iran islamic republic of": "IR",
    "islamic republic of iran": "IR",
    "democratic peoples republic of korea": "KP",
    "dprk": "KP",
    "korea democratic peoples republic of": "KP",
    "north korea": "KP",
    "russia": "RU",
    "russian federation": "RU",
    "sudan": "SD",
    "syria": "SY",
    "syrian arab republic": "SY",
    "venezuela": "VE",
    "venezuela bolivarian republic of": "VE",
    "bolivarian republic of venezuela": "VE",
}


def country_code(value: object) -> str | None:
    """Return the ISO 3166-1 alpha-2 code in a code, a name, or an object with either; None where unknown."""
    if isinstance(value, dict):
        return country_code(value.get("code")) or country_code(value.get("name"))
    if not isinstance(value, str):
        return None
    code = _CODE.fullmatch(value.strip())
    if code is not None:
        country = code.group(1).upper()
        return country if country in COUNTRIES else None
    words = re.findall(r"[a-z]+", value.casefold().replace("'", "").replace("\u2019", ""))
    name = " ".join(words).removesuffix(" the").removeprefix("the ")
    return _NAMES.get(name)
