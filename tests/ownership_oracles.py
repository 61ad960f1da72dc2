"""The three readings worked out a second time, from the definition and with other tools than the project's.

Control and single owner are stated as an answer set program and solved by clingo. The effective share is the
least non-negative solution of x = min(1, A x + b), by Gaussian elimination over fractions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final, Literal, NamedTuple

import clingo

from stream_enforcer.domain.ownership.graph import FULL, Stake
from stream_enforcer.domain.ownership.semantics import Verdict
from tests.ownership_worlds import TODAY, Case

PROGRAM: Final = """
% A case G has: party(G,E), person(G,E), country(G,E,C), headquarters(G,E,C), exception(G,E), restricts(G,C),
% stake(G,S,holder,held), starts(G,S,day), ends(G,S,day), share(G,S,side,millionths), asked(G,E), today(G,day),
% threshold(G,T), strict(G). A side is least or greatest. 100 % is full.
side(least; greatest).

% Where an entity is: its headquarters, else its registration. Persons and exceptions are no restricted holders.
seat(G,E,C) :- headquarters(G,E,C).
seat(G,E,C) :- country(G,E,C), not headquarters(G,E,_).
restricted(G,E) :- seat(G,E,C), restricts(G,C), not person(G,E), not exception(G,E).

% A stake counts from its first day on and not on its last; nobody holds a person.
early(G,S) :- starts(G,S,D), today(G,N), N < D.
over(G,S) :- ends(G,S,D), today(G,N), D <= N.
counts(G,S,H,C) :- stake(G,S,H,C), not early(G,S), not over(G,S), not person(G,C).

% Who acts: all restricted holders together, or one of them alone.
acts(G,all,E) :- restricted(G,E).
acts(G,alone(E),E) :- restricted(G,E).
actor(G,A) :- acts(G,A,_).

% An actor has what acts for it, and every company of which what it has holds enough.
has(G,N,A,E) :- acts(G,A,E), side(N).
has(G,N,A,C) :- enough(G,N,A,C).
enough(G,N,A,C) :- actor(G,A), side(N), party(G,C), strict(G), threshold(G,T), T < full,
    #sum { W,S : counts(G,S,H,C), has(G,N,A,H), share(G,S,N,W) } > T.
enough(G,N,A,C) :- actor(G,A), side(N), party(G,C), not strict(G), threshold(G,T),
    #sum { W,S : counts(G,S,H,C), has(G,N,A,H), share(G,S,N,W) } >= T.

passes(G,N,control) :- enough(G,N,all,C), asked(G,C).
passes(G,N,single_owner) :- enough(G,N,alone(_),C), asked(G,C).
verdict(G,R,proved) :- passes(G,least,R).
verdict(G,R,possible) :- passes(G,greatest,R), not passes(G,least,R).

% What is held of the company asked about.
of_asked(G,N,A,S) :- asked(G,C), counts(G,S,H,C), has(G,N,A,H), side(N).
#show verdict/3.
#show of_asked/4.
"""

Name = Literal["control", "single_owner"]
_DERIVED: Final[Mapping[str, Verdict]] = {"proved": "proved", "possible": "possible"}


class Expected(NamedTuple):
    """A reading: the verdict, and the shares in millionths of a percent, clamped but not rounded."""

    verdict: Verdict
    min: int | Fraction
    max: int | Fraction


def by_answer_set(cases: Sequence[Case]) -> list[dict[Name, Expected]]:
    """Solve the control and single-owner readings of many cases in one answer set."""
    control = clingo.Control(["-c", f"full={FULL}"])
    control.add("base", [], PROGRAM)
    control.add(
        "base", [], "\n".join(fact for place, case in enumerate(cases) for fact in _facts(place, case))
    )
    control.ground([("base", [])])
    with control.solve(yield_=True) as handle:
        models = [list(model.symbols(shown=True)) for model in handle]
    (atoms,) = models  # the relation is a least fixpoint: there is one answer set
    return _readings(cases, atoms)


def _facts(place: int, case: Case) -> Iterator[str]:
    question = case.question
    yield f"asked({place},{case.company}). threshold({place},{question.threshold}). today({place},{_day(TODAY)})."
    yield from (f'restricts({place},"{country}").' for country in question.restricted)
    yield from (f"exception({place},{entity})." for entity in question.exceptions)
    if question.strict:
        yield f"strict({place})."
    for entity in case.entities:
        yield f"party({place},{entity.id})."
        if entity.type == "person":
            yield f"person({place},{entity.id})."
        for name, country in (("country", entity.country), ("headquarters", entity.headquarters)):
            if country is not None:
                yield f'{name}({place},{entity.id},"{country}").'
    for stake in case.stakes:
        yield f"stake({place},{stake.id},{stake.holder},{stake.held}). party({place},{stake.held})."
        yield f"share({place},{stake.id},least,{stake.min}). share({place},{stake.id},greatest,{stake.max})."
        for name, day in (("starts", stake.since), ("ends", stake.until)):
            if day is not None:
                yield f"{name}({place},{stake.id},{_day(day)})."


def _day(iso: str) -> int:
    return int(iso.replace("-", ""))


def _readings(cases: Sequence[Case], atoms: Iterable[clingo.Symbol]) -> list[dict[Name, Expected]]:
    verdicts: dict[tuple[int, str], Verdict] = {}
    sums: defaultdict[tuple[int, str, str], int] = defaultdict(int)
    shares = [{stake.id: {"least": stake.min, "greatest": stake.max} for stake in c.stakes} for c in cases]
    for atom in atoms:
        place = atom.arguments[0].number
        if atom.name == "verdict":
            verdicts[place, str(atom.arguments[1])] = _DERIVED[str(atom.arguments[2])]
        else:
            side, actor, stake = map(str, atom.arguments[1:])
            sums[place, side, actor] += shares[place][stake][side]
    best: defaultdict[tuple[int, str, Name], int] = defaultdict(int)
    for (place, side, actor), share in sums.items():
        key: tuple[int, str, Name] = (place, side, "control" if actor == "all" else "single_owner")
        best[key] = max(best[key], min(share, FULL))
    names: tuple[Name, ...] = ("control", "single_owner")
    return [
        {
            name: Expected(
                verdicts.get((place, name), "refuted"),
                best[place, "least", name],
                best[place, "greatest", name],
            )
            for name in names
        }
        for place in range(len(cases))
    ]


def by_elimination(case: Case) -> Expected:
    """Solve the effective reading."""
    least, greatest = (FULL * _effective(case, end) for end in ("min", "max"))
    question = case.question
    over = [
        share > question.threshold if question.strict else share >= question.threshold
        for share in (least, greatest)
    ]
    return Expected("proved" if over[0] else "possible" if over[1] else "refuted", least, greatest)


Rows = Mapping[str, Mapping[str, Fraction]]
_RESTRICTED: Final = "all restricted holders"


def _effective(case: Case, end: str) -> Fraction:
    rows = _rows(case, end)
    values = _least_solution({company: row for company, row in rows.items() if company not in _roots(case)})
    return _capped_sum(rows.get(case.company, {}), {**values, _RESTRICTED: Fraction(1)})


def _roots(case: Case) -> set[str]:
    question = case.question
    return {
        entity.id
        for entity in case.entities
        if entity.type != "person"
        and entity.id not in question.exceptions
        and (entity.headquarters or entity.country) in question.restricted
    }


def _rows(case: Case, end: str) -> dict[str, dict[str, Fraction]]:
    """Return A, with b as the column of all restricted holders: a chain ends at the first of them."""
    roots = _roots(case)
    persons = {entity.id for entity in case.entities if entity.type == "person"}
    rows: dict[str, dict[str, Fraction]] = {}
    for stake in case.stakes:
        if _held_today(stake) and stake.held not in persons:
            row = rows.setdefault(stake.held, {})
            holder = _RESTRICTED if stake.holder in roots else stake.holder
            row[holder] = row.get(holder, Fraction(0)) + Fraction(getattr(stake, end), FULL)
    return rows


def _held_today(stake: Stake) -> bool:
    return (stake.since is None or stake.since <= TODAY) and (stake.until is None or stake.until > TODAY)


def _capped_sum(row: Mapping[str, Fraction], values: Mapping[str, Fraction]) -> Fraction:
    return min(
        Fraction(1), sum((share * values.get(j, Fraction(0)) for j, share in row.items()), Fraction(0))
    )


def _least_solution(rows: Rows) -> dict[str, Fraction]:
    """Guess which companies the cap binds, solve the rest as linear equations, and make sure that it is a solution.

    Substituting from 0 upwards leads to the least solution. What it never lifts above 0 is 0 in it. Among the
    others there is one solution only: the right side F is monotone and concave, and F(F(...F(0))) > 0. For if
    x <= y were two, and t < 1 the greatest with t y <= x, then x = F^n(x) >= t y + (1 - t) F^n(0) > t y.
    """
    positive = {_RESTRICTED}
    while more := {i for i, row in rows.items() if any(row.get(j) for j in positive)} - positive:
        positive |= more
    companies = sorted(positive - {_RESTRICTED})
    guess = dict.fromkeys(companies, 0.0)
    for rounds in (100, 1_000, 10_000, 100_000):
        for _ in range(rounds):
            known = {**guess, _RESTRICTED: 1.0}
            guess = {
                i: min(1.0, sum(float(s) * known.get(j, 0.0) for j, s in rows[i].items())) for i in companies
            }
        capped = {i for i in companies if guess[i] > 1 - 1e-9}
        values = _solved(rows, [i for i in companies if i not in capped], capped)
        if values is not None and all(values[i] == _capped_sum(rows[i], values) for i in companies):
            return values
    raise AssertionError("no guess was right")


def _solved(rows: Rows, free: Sequence[str], capped: Iterable[str]) -> dict[str, Fraction] | None:
    """Solve (I - A) x = b for the free companies; the capped ones are worth 1. None where that is singular."""
    ones = {_RESTRICTED, *capped}
    matrix = [
        [Fraction(i == j) - rows[i].get(j, Fraction(0)) for j in free]
        + [sum((s for j, s in rows[i].items() if j in ones), Fraction(0))]
        for i in free
    ]
    for column in range(len(free)):
        pivot = next((row for row in range(column, len(free)) if matrix[row][column]), None)
        if pivot is None:
            return None
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        head = matrix[column][column]
        matrix[column] = [value / head for value in matrix[column]]
        for row in range(len(free)):
            weight = matrix[row][column]
            if row != column and weight:
                matrix[row] = [x - weight * y for x, y in zip(matrix[row], matrix[column], strict=True)]
    return {**dict.fromkeys(ones, Fraction(1)), **{i: matrix[row][-1] for row, i in enumerate(free)}}
