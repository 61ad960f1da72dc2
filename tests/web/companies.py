"""Invented companies and who holds them, for the sample of a replay."""

import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

Json = dict[str, Any]

_FULL: Final = 100_000_000
_PLACES: Final = (
    *("Lotus Bridge", "Amber Harbour", "Northern Terrace", "Silver Estuary", "Cedar Gate", "Bright Meridian"),
    *("Granite Quay", "Juniper Field", "Copper Lantern", "Willow Strait", "Crane Valley", "Marble Delta"),
)
_TRADES: Final = (
    *("Robotics", "Optics", "Logistics", "Semiconductor", "Capital", "Holdings", "Data Systems", "Biotech"),
    *("Energy", "Investments", "Telecom", "Shipping", "Materials", "Ventures"),
)
_FORMS: Final = {
    "CN": ("Co., Ltd.", "Group Co., Ltd."),
    "RU": ("PJSC", "LLC"),
    "IR": ("PJS",),
    "KP": ("Trading Corp.",),
    "HK": ("Limited",),
    "SG": ("Pte. Ltd.",),
    "DE": ("GmbH", "AG"),
    "NL": ("B.V.",),
    "KY": ("Ltd.",),
    "AE": ("FZ-LLC",),
    "US": ("Inc.", "LLC"),
}
RESTRICTED: Final = ("CN", "CN", "CN", "CN", "RU", "RU", "IR", "KP")
_ELSEWHERE: Final = ("HK", "HK", "SG", "DE", "NL", "KY", "AE", "US")


@dataclass(slots=True)
class World:
    """Companies and who holds them, made once and used by many accounts."""

    draw: random.Random
    names: dict[str, str] = field(default_factory=dict)

    def company(self, country: str) -> str:
        draw = self.draw
        entity = f"reg:{country.lower()}-{draw.randrange(10**8):08d}"
        form = draw.choice(_FORMS[country])
        self.names[entity] = f"{draw.choice(_PLACES)} {draw.choice(_TRADES)} {form}"
        return entity

    def names_in(self, ownership: Json | None) -> dict[str, str]:
        """Return the names of the companies that an `ownership` object speaks of."""
        if ownership is None:
            return {}
        parties = {edge[end] for edge in ownership["proof"] for end in ("holder", "held")}
        return {company: self.names[company] for company in sorted({ownership["entity"], *parties})}

    def ownership(self, verdict: str) -> tuple[Json, str]:
        """Return an `ownership` object whose control has the verdict, and the country to blame."""
        draw = self.draw
        blamed = draw.choice(RESTRICTED)
        chain = [self.company(draw.choice(_ELSEWHERE)) for _ in range(draw.choice((1, 2, 2, 3, 3)))]
        chain.append(self.company(blamed))
        least, greatest = (51, 100) if verdict == "proved" else (35, 49)
        edges = []
        effective = [_FULL, _FULL]
        for held, holder in pairwise(chain):
            share = draw.randint(least, greatest) * 1_000_000
            wide = 0 if verdict == "proved" else 20_000_000
            edges.append(
                self.edge(holder, held, (share, share + wide), blamed if holder == chain[-1] else None)
            )
            effective = [effective[0] * share // _FULL, effective[1] * (share + wide) // _FULL]
        first = edges[0]
        if draw.random() < 0.4:
            rest, country = _FULL - first["max"], draw.choice(RESTRICTED)
            edges.append(self.edge(self.company(country), chain[0], (rest // 3, rest // 3), country))
        found = {
            "entity": chain[0],
            "match": {"kind": "identifier", "score": 100, "features": ["lei"]},
            "threshold": 50_000_000,
            "strict": False,
            "control": _reading(first["min"], first["max"]),
            "effective": _reading(*effective),
            "single_owner": _reading(first["min"], first["max"]),
            "proof": edges,
            "proof_complete": True,
        }
        return found, blamed

    def edge(self, holder: str, held: str, share: tuple[int, int], country: str | None) -> Json:
        draw = self.draw
        edge = {
            "holder": holder,
            "held": held,
            "min": share[0],
            "max": share[1],
            "since": f"{draw.randint(2012, 2025)}-{draw.randint(1, 12):02d}-01",
            "source": draw.choice(("company register, extract", "GLEIF level 2", "annual report 2025")),
        }
        return edge if country is None else {**edge, "country": country}


def _reading(least: int, greatest: int) -> Json:
    verdict = "proved" if least >= _FULL // 2 else "possible" if greatest >= _FULL // 2 else "refuted"
    return {"verdict": verdict, "min": least, "max": greatest}
