"""Sparse linear equations x = A x + b with exact fractions: Gaussian elimination, the sparsest company first.

The order follows Markowitz (Management Science 3, 1957): eliminate the unknown whose removal links the fewest
others. Rows have no negative entry, so rounding all numbers down (up) bounds the solution from below (above).
"""

from dataclasses import dataclass
from fractions import Fraction
from heapq import heapify, heappop, heappush

_EXACT_BITS = 2048
_ROUNDED_BITS = 256
_MOST_PRODUCTS = 200_000

Row = dict[int, Fraction]


class TooCostly(Exception):
    """Elimination would take too long: the unknowns are too closely linked."""


class Products:
    """A number of products that may be made, for one solution or for several together."""

    def __init__(self, most: int = _MOST_PRODUCTS) -> None:
        self.left = most

    def spend(self, products: int) -> None:
        """Take some away.

        Raises:
            TooCostly: There are not so many left.
        """
        self.left -= products
        if self.left < 0:
            raise TooCostly


@dataclass(frozen=True, slots=True)
class Equations:
    """The equations x_i = sum of rows[i][j] * x_j + constants[i]; nothing is negative.

    Attributes:
        rows: Coefficients by unknown.
        constants: The rest, by unknown.
    """

    rows: dict[int, Row]
    constants: Row

    def right_side(self, unknown: int, values: Row) -> Fraction:
        """Return what the equation of an unknown gives for these values."""
        return sum(
            (share * values[other] for other, share in self.rows[unknown].items()), self.constants[unknown]
        )


class _Elimination:
    """The working copy of the equations while unknowns are taken out of it."""

    def __init__(self, equations: Equations, fixed: frozenset[int], products: Products, *, up: bool) -> None:
        self._up = up
        self._products = products
        self.rows: dict[int, Row] = {}
        self.constants: Row = {}
        self.users: dict[int, set[int]] = {
            unknown: set() for unknown in equations.rows if unknown not in fixed
        }
        for unknown in self.users:
            row = equations.rows[unknown]
            self.rows[unknown] = {other: share for other, share in row.items() if other not in fixed}
            of_fixed = (share for other, share in row.items() if other in fixed)
            self.constants[unknown] = sum(of_fixed, equations.constants[unknown])
            for other in self.rows[unknown]:
                self.users[other].add(unknown)

    def cost(self, unknown: int) -> int:
        return len(self.rows[unknown]) * len(self.users[unknown])

    def resolve_own(self, unknown: int) -> None:
        """Turn x = a x + rest into x = rest / (1 - a); where a reaches 1, x is unbounded: the cap, 1."""
        row = self.rows[unknown]
        own = row.pop(unknown, None)
        if own is None:
            return
        self.users[unknown].discard(unknown)
        if own >= 1:
            for other in row:
                self.users[other].discard(unknown)
            row.clear()
            self.constants[unknown] = Fraction(1)
            return
        factor = 1 / (1 - own)
        for other in row:
            row[other] = self._limited(row[other] * factor)
        self.constants[unknown] = self._limited(self.constants[unknown] * factor)

    def remove(self, unknown: int) -> None:
        """Put the equation of an unknown into those that use it. Its own row stays, for the way back."""
        self.resolve_own(unknown)
        row = self.rows[unknown]
        self._products.spend((1 + len(row)) * len(self.users[unknown]))
        for other in row:
            self.users[other].discard(unknown)
        for user in self.users[unknown]:
            target = self.rows[user]
            weight = target.pop(unknown)
            self.constants[user] = self._limited(self.constants[user] + weight * self.constants[unknown])
            for other, share in row.items():
                target[other] = self._limited(target.get(other, Fraction(0)) + weight * share)
                self.users[other].add(user)

    def value(self, unknown: int, values: Row) -> Fraction:
        terms = (share * values[other] for other, share in self.rows[unknown].items())
        return self._limited(sum(terms, self.constants[unknown]))

    def _limited(self, number: Fraction) -> Fraction:
        if number.denominator.bit_length() <= _EXACT_BITS:
            return number
        scaled = number.numerator << _ROUNDED_BITS
        down = scaled // number.denominator
        return Fraction(down + 1 if self._up else down, 1 << _ROUNDED_BITS)


def solve(
    equations: Equations,
    fixed: frozenset[int],
    *,
    up: bool,
    only: int | None = None,
    products: Products | None = None,
) -> dict[int, Fraction]:
    """Solve the equations with some unknowns fixed at 1.

    Args:
        equations: At least one solution must exist once those are fixed.
        fixed: Unknowns whose value is 1, whatever their equation says.
        up: Round up, not down, where a fraction has outgrown 2048 bits.
        only: Leave out the way back and give the value of this unknown alone.
        products: How many may be made; 200,000 where nothing is said.

    Raises:
        TooCostly: More products would be needed.
    """
    work = _Elimination(equations, fixed, products or Products(), up=up)
    last = only if only is not None else next(iter(work.users), None)
    waiting = [(work.cost(unknown), unknown) for unknown in work.users if unknown != last]
    heapify(waiting)
    order: list[int] = []
    removed: set[int] = set()
    while waiting:
        cost, unknown = heappop(waiting)
        if unknown in removed:
            continue
        if work.cost(unknown) > cost:
            heappush(waiting, (work.cost(unknown), unknown))
            continue
        neighbours = (set(work.rows[unknown]) | work.users[unknown]) - {unknown, last}
        work.remove(unknown)
        removed.add(unknown)
        order.append(unknown)
        for neighbour in neighbours:
            heappush(waiting, (work.cost(neighbour), neighbour))
    values = dict.fromkeys(fixed, Fraction(1))
    if last is not None:
        work.resolve_own(last)
        values[last] = work.constants[last]
    if only is None:
        for unknown in reversed(order):
            values[unknown] = work.value(unknown, values)
    return values
