"""Everything a policy may mention: evidence joined with reference data, unknowns said and not guessed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stream_enforcer.domain.account import NOWHERE, Action, Evidence, HeldOverride, Sighting
from stream_enforcer.domain.events import MS_PER_DAY, iso_day
from stream_enforcer.domain.geo import ANONYMOUS
from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.domain.ownership.resolve import Claim, Match
from stream_enforcer.domain.ownership.semantics import Finding, Reading, Verdict

if TYPE_CHECKING:
    from stream_enforcer.domain.world import World


def _fact(help_text: str) -> Any:
    return field(metadata={"help": help_text})


Countries = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """The vocabulary of policies. Shares are in millionths of a percent; country lists are sorted."""

    as_of: str = _fact("The account's latest event day (ISO date); stakes and data ages are judged on it.")
    declared_countries: Countries = _fact("Countries that signups declared.")
    billing_countries: Countries = _fact("Billing countries that signups gave.")
    phone_countries: Countries = _fact("Countries of phone numbers that signups gave.")
    signup_countries: Countries = _fact("IP countries of signups, anonymous networks left out.")
    signup_anonymous_countries: Countries = _fact("IP countries of signups on anonymous networks.")
    usage_countries: Countries = _fact("IP countries of usage, anonymous networks left out.")
    usage_anonymous_countries: Countries = _fact("IP countries of usage on anonymous networks.")
    restricted_usage_days: int = _fact(
        "Distinct UTC days of usage from restricted countries, anonymous networks left out; counts to 7."
    )
    networks: tuple[str, ...] = _fact("Kinds of network seen: residential, hosting, vpn, tor, unknown.")
    anonymous: bool = _fact("Whether a VPN, Tor or hosting network was seen.")
    unlocated: bool = _fact("Whether an address was seen that no geo table places.")
    organization_claimed: bool = _fact("Whether a signup claimed an organisation.")
    organization_resolved: bool = _fact("Whether every claim was found in the ownership data.")
    organization_match: str = _fact(
        "How the weakest claim was found: identifier, name, ambiguous (several fit alike, so none counts) or none."
    )
    headquarters_countries: Countries = _fact(
        "Headquarters of the resolved companies; where unresolved, the claimed organisation country."
    )
    headquarters_basis: tuple[str, ...] = _fact(
        "What each of these rests on: headquarters, registration or claim."
    )
    ownership_control: str = _fact("Held > threshold by restricted holders in cascade: proved, possible, …")
    ownership_control_min: int = _fact("Least share so held.")
    ownership_control_max: int = _fact("Greatest share so held.")
    ownership_effective: str = _fact("The same, with shares multiplied along chains and summed.")
    ownership_effective_min: int = _fact("Least effective share.")
    ownership_effective_max: int = _fact("Greatest effective share.")
    ownership_single_owner: str = _fact("The same as control, from one restricted holder alone.")
    ownership_single_owner_min: int = _fact("Least share of the greatest single holder.")
    ownership_single_owner_max: int = _fact("Greatest share of the greatest single holder.")
    coverage: int = _fact("Sum of the recorded shares of the company; the least covered claim counts.")
    chain_coverage: int = _fact("The same for its least covered controlling ancestor.")
    listings: tuple[str, ...] = _fact("Topics under which the company or one that controls it is listed.")
    headquarters_by_name: Countries = _fact("Headquarters of companies that only their name points to.")
    listings_by_name: tuple[str, ...] = _fact("Listings of companies that only their name points to.")
    overflowed: bool = _fact("Whether the account made more organisation claims than are kept.")
    degraded: tuple[str, ...] = _fact("Inputs missing or too old for this account: geo, ownership, claims.")
    standing: str = _fact("What policy last said of the account: allow or suspend. A review leaves it.")
    override_id: str = _fact("The override in force, or empty.")
    override_action: str = _fact("What it says: allow, suspend, or empty.")
    override_rules: tuple[str, ...] = _fact("The rules it covers; empty covers all.")

    def to_json(self) -> dict[str, Any]:
        """Return the facts by name, as they stand in a decision."""
        return {name: getattr(self, name) for name in FACT_NAMES}

    def without_override(self) -> "Facts":
        """Return the same facts as if no override were in force."""
        return replace(self, override_id="", override_action="", override_rules=())


FACT_NAMES: Final = tuple(spec.name for spec in fields(Facts))

NOT_EVIDENCE: Final = frozenset(
    {"as_of", "degraded", "standing", "override_id", "override_action", "override_rules"}
)
"""Facts that the evidence hash leaves out: they change without the account having shown anything."""


class Owned(NamedTuple):
    """A claim that was found in the ownership data, and what is known of who owns the company."""

    match: Match
    finding: Finding


class Gathered(NamedTuple):
    """The facts and the ownership finding that a decision shows, the most restrictive one."""

    facts: Facts
    worst: Owned | None


_SEVERITY: Final[dict[Verdict, int]] = {"refuted": 0, "unknown": 1, "possible": 2, "proved": 3}
_UNKNOWN: Final = Reading("unknown", 0, FULL)


def gather(evidence: Evidence, standing: Action, world: "World") -> Gathered:
    """Join an account's evidence with the world.

    Facts take the most restrictive of several claims, so a later, cleaner claim washes nothing away.
    """
    as_of = iso_day(evidence.clock)
    claims = [dated.claim for dated in evidence.claims]
    found = [(claim, _own(claim, as_of, world)) for claim in claims]
    by_domain = [_own(_domain_claim(domain), as_of, world) for domain in evidence.domains]
    owned = [o for o in (*(o for _, o in found), *by_domain) if o is not None]
    override = _in_force(evidence.override, evidence.clock)
    facts = Facts(
        as_of=as_of,
        declared_countries=evidence.declared,
        billing_countries=evidence.billing,
        phone_countries=evidence.phone,
        **_network_facts(evidence, world.policy.restricted),
        **_organization_facts(found, owned, evidence.claimed if evidence.overflowed else ()),
        organization_match=_weakest_match(found, owned, world),
        **_ownership_facts(owned, unresolved=any(o is None for _, o in found)),
        overflowed=evidence.overflowed,
        degraded=tuple(_degraded(evidence, owned, as_of, world)),
        standing=standing,
        override_id=override.override_id if override else "",
        override_action=override.action if override else "",
        override_rules=(override.rules or ()) if override else (),
    )
    return Gathered(facts, max(owned, key=lambda o: _weight(o, world), default=None))


def _in_force(override: HeldOverride | None, clock: int) -> HeldOverride | None:
    """An override ends with the account's first event on a day that begins at or after `expires_at`."""
    if override is None or override.action == "none":
        return None
    expired = override.expires_at is not None and clock * MS_PER_DAY >= override.expires_at
    return None if expired else override


def _network_facts(evidence: Evidence, restricted: frozenset[str]) -> dict[str, Any]:
    seen = (*evidence.signup, *evidence.usage)
    days = {
        day
        for s in evidence.usage
        if s.country in restricted and s.network not in ANONYMOUS
        for day in s.days
    }
    return {
        "signup_countries": _countries(evidence.signup, anonymous=False),
        "signup_anonymous_countries": _countries(evidence.signup, anonymous=True),
        "usage_countries": _countries(evidence.usage, anonymous=False),
        "usage_anonymous_countries": _countries(evidence.usage, anonymous=True),
        "restricted_usage_days": min(len(days), 7),
        "networks": _sorted(s.network for s in seen),
        "anonymous": any(s.network in ANONYMOUS for s in seen),
        "unlocated": any(s.country == NOWHERE for s in seen),
    }


def _sorted(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _countries(sightings: Sequence[Sighting], *, anonymous: bool) -> Countries:
    return _sorted(
        s.country for s in sightings if s.country != NOWHERE and (s.network in ANONYMOUS) is anonymous
    )


def _domain_claim(domain: str) -> Claim:
    return Claim(
        name=None, country=None, lei=None, registration_number=None, registration_country=None, domain=domain
    )


def _own(claim: Claim, as_of: str, world: "World") -> Owned | None:
    match = world.resolve(claim).match
    return None if match is None else Owned(match, world.assess(match.entity, as_of))


_MATCH_RANK: Final = {"none": 0, "ambiguous": 1, "name": 2, "identifier": 3}


def _weakest_match(
    found: Sequence[tuple[Claim, Owned | None]], owned: Sequence[Owned], world: "World"
) -> str:
    matches = [_how(claim, o, world) for claim, o in found] or [o.match.kind for o in owned]
    return min(matches, key=_MATCH_RANK.__getitem__, default="none")


def _how(claim: Claim, owned: Owned | None, world: "World") -> str:
    if owned is not None:
        return owned.match.kind
    return "ambiguous" if world.resolve(claim).ambiguous else "none"


def _organization_facts(
    found: Sequence[tuple[Claim, Owned | None]], owned: Sequence[Owned], dropped: Countries
) -> dict[str, Any]:
    headquarters = [place for claim, o in found for place in _headquarters(claim, o)]
    known = {id(o) for _, o in found}
    headquarters += [
        (o.finding.headquarters, o.finding.basis)
        for o in owned
        if id(o) not in known and o.match.kind == "identifier" and o.finding.headquarters is not None
    ]
    # Of claims that are no longer kept the country is all that is known; it counts, so none is pushed out unseen.
    headquarters += [(country, "claim") for country in dropped]
    return {
        "organization_claimed": bool(found),
        "organization_resolved": bool(owned) and all(o is not None for _, o in found),
        "headquarters_countries": _sorted(country for country, _ in headquarters),
        "headquarters_basis": _sorted(basis for _, basis in headquarters),
    }


def _headquarters(claim: Claim, owned: Owned | None) -> list[tuple[str, str]]:
    if owned is not None and owned.match.kind == "identifier" and owned.finding.headquarters is not None:
        return [(owned.finding.headquarters, owned.finding.basis)]
    # A name alone does not make the register's entry the account's company: what the account said stands.
    claimed = claim.country or claim.registration_country
    return [] if claimed is None else [(claimed, "claim")]


def _reading(owned: Owned, name: str) -> Reading:
    reading: Reading = getattr(owned.finding, name)
    if owned.match.kind == "name" and reading.verdict == "proved":
        # A name can make ownership possible, never proved.
        return Reading("possible", reading.min, reading.max)
    return reading


def _ownership_facts(owned: Sequence[Owned], *, unresolved: bool) -> dict[str, Any]:
    by_name = [o.finding for o in owned if o.match.kind == "name"]
    identified = [o.finding for o in owned if o.match.kind == "identifier"]
    facts: dict[str, Any] = {
        "coverage": min((o.finding.coverage for o in owned), default=0),
        "chain_coverage": min((o.finding.chain_coverage for o in owned), default=0),
        "listings": _sorted(topic for finding in identified for topic in finding.listings),
        "headquarters_by_name": _sorted(f.headquarters for f in by_name if f.headquarters is not None),
        "listings_by_name": _sorted(topic for finding in by_name for topic in finding.listings),
    }
    for name in ("control", "effective", "single_owner"):
        readings = [_reading(o, name) for o in owned]
        if unresolved or not readings:
            readings.append(_UNKNOWN)
        worst = max(readings, key=lambda r: (_SEVERITY[r.verdict], r.min, r.max))
        facts[f"ownership_{name}"] = worst.verdict
        facts[f"ownership_{name}_min"] = worst.min
        facts[f"ownership_{name}_max"] = worst.max
    return facts


def _weight(owned: Owned, world: "World") -> tuple[int, bool, int, str]:
    control = _reading(owned, "control")
    effective = _reading(owned, "effective")
    severity = max(_SEVERITY[control.verdict], _SEVERITY[effective.verdict])
    restricted = owned.finding.headquarters in world.policy.restricted
    return severity, restricted, max(control.min, effective.min), owned.match.entity


def _degraded(evidence: Evidence, owned: Sequence[Owned], as_of: str, world: "World") -> Iterable[str]:
    ages = world.policy.max_age_days
    if evidence.overflowed:
        yield "claims"
    if (evidence.signup or evidence.usage) and not _fresh(world.geo.built_on, as_of, ages.geo):
        yield "geo"
    # An e-mail domain alone claims no organisation; it rests on the ownership data once it is found there.
    if (evidence.claims or owned) and (
        world.graph is None
        or (world.graph.as_of is not None and not _fresh(world.graph.as_of, as_of, ages.ownership))
    ):
        yield "ownership"


def _fresh(built_on: str | None, as_of: str, max_age_days: int) -> bool:
    if built_on is None:
        return False
    return (date.fromisoformat(as_of) - date.fromisoformat(built_on)).days <= max_age_days
