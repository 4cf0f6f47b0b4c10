"""Coordinates for a walk: in them the domain has an interior, and the domain and the first relus distinguish all directions.

A domain that lies in a hyperplane is described in coordinates of that hyperplane. Directions in which neither the domain nor the first
layer with a relu changes (lineality) are divided out: a network of 784 inputs with 128 neurons is walked in 128 coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flint import fmpz_mat

from exactrelu.domain import AllSpace, Box, Orthant, fixed_coordinates, middle
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.linalg import exact_rank, solve
from exactrelu.exact.polyhedron import Polyhedron
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.regions.charts import Chart
from exactrelu.regions.start import domain_sides
from exactrelu.regions.walk.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.domain import Domain
    from exactrelu.regions.charts import Row


@dataclass(frozen=True)
class Space:
    """The domain in coordinates z of Q^k.

    chart: from z to the coordinates that were asked about; sides: forms (k + 1,) that are at most 0 on the domain, primitive and not
    constant; inside: a point where all of them are negative; begin: where the walk begins, a point of the domain; lines: the dimension of
    the lineality.
    """

    chart: Chart
    sides: Rows
    inside: RationalVector
    begin: RationalVector
    lines: int


def space_of(domain: Domain, outer: Chart, begin: RationalVector | None, first_forms: Sequence[Row], *, deadline: float | None) -> Space:
    """The space of a domain of Q^n restricted to the image of a chart; first_forms: those of the first layer with a relu, on that image.

    Raises InvalidRequestError where the domain is empty, where `begin` lies outside, and where no interior point was found in time.

    >>> space = space_of(AllSpace(), Chart.identity(3), None, [(0, 2, 0, 1)], deadline=None)
    >>> space.chart.matrix, space.inside.texts(), space.lines
    (((0, 0), (1, 0), (0, 0), (0, 1)), ['0'], 2)
    """
    _check_begin(domain, outer, begin)
    n = outer.dimension
    is_plain = isinstance(domain, AllSpace | Box | Orthant) and outer == Chart.identity(n)
    if is_plain:
        assert isinstance(domain, AllSpace | Box | Orthant)
        chart, inside = _plain_interior(domain, n)
        sides = _pulled_back(domain_sides(domain, n), chart)
    else:
        on_slice = [outer.form(side) for side in domain_sides(domain, len(outer.matrix) - 1)]
        chart, sides, inside = _interior(on_slice, n, begin, deadline)
    begin = inside if begin is None else _coordinates(chart, begin)
    if is_plain and not isinstance(domain, AllSpace):
        return Space(chart, Rows(tuple(sides), chart.dimension), inside, begin, 0)
    return _without_lines(chart, sides, inside, begin, _composed(first_forms, chart))


def _check_begin(domain: Domain, outer: Chart, begin: RationalVector | None) -> None:
    if begin is None:
        return
    if len(begin) != outer.dimension:
        raise InvalidRequestError(
            f"the walk begins at a point with {len(begin)} coordinates, but what is asked about has {outer.dimension}; give as many"
        )
    if not domain.contains(outer.point(begin)):
        raise InvalidRequestError("the point where the walk begins lies outside the domain; give a point of the domain")


def _plain_interior(domain: AllSpace | Box | Orthant, n: int) -> tuple[Chart, RationalVector]:
    """The chart of the coordinates that are not fixed, and the middle of the domain in it."""
    centre = middle(domain, n)
    fixed = set(fixed_coordinates(domain, n))
    free = [j for j in range(n) if j not in fixed]
    t = centre.denominator
    rows = [(*(t * int(i == j) for j in free), value if i in fixed else 0) for i, value in enumerate(centre.numerators)]
    return Chart((*rows, (*(0 for _ in free), t))), RationalVector(tuple(centre.numerators[j] for j in free), t)


def _interior(
    sides: Sequence[Row], n: int, begin: RationalVector | None, deadline: float | None
) -> tuple[Chart, list[Row], RationalVector]:
    """The chart of the affine hull of {sides <= 0} in Q^n, the sides in it, and a point where these are negative."""
    chart = Chart.identity(n)
    forms = _pulled_back(sides, chart)
    if begin is not None and Rows(tuple(forms), n).are_negative(begin):
        return chart, forms, begin
    while forms:
        polyhedron = Polyhedron(chart.dimension, (), tuple(forms))
        point = polyhedron.relative_interior_point(deadline=deadline)
        if point is None:
            raise _empty() if polyhedron.is_empty(deadline=deadline) else _undecided()
        tight = polyhedron.tight(point)
        if not tight:
            return chart, forms, point
        chart = chart.restricted(forms[tight[0]])
        forms = _pulled_back(sides, chart)
    return chart, forms, RationalVector((0,) * chart.dimension)


def _composed(forms: Sequence[Row], chart: Chart) -> list[Row]:
    """Forms on the image of a chart as forms of its coordinates."""
    if not forms or chart == Chart.identity(chart.dimension):
        return list(forms)
    return [tuple(map(int, row)) for row in (fmpz_mat([*map(list, forms)]) * fmpz_mat([*map(list, chart.matrix)])).tolist()]


def _pulled_back(sides: Sequence[Row], chart: Chart) -> list[Row]:
    """The sides as primitive forms on a chart, each once; raises InvalidRequestError where one is a positive constant."""
    forms = dict.fromkeys(chart.form(side) for side in sides)
    if any(form[-1] > 0 for form in forms if not any(form[:-1])):
        raise _empty()
    return [form for form in forms if any(form[:-1])]


def _coordinates(chart: Chart, x: RationalVector) -> RationalVector:
    """The z that the chart sends to x: every coordinate of a chart of an affine hull is one of x."""
    places = {row: i for i, row in enumerate(chart.matrix[:-1])}
    units = (tuple(chart.scale * int(i == j) for i in range(chart.dimension + 1)) for j in range(chart.dimension))
    return RationalVector(tuple(x.numerators[places[unit]] for unit in units), x.denominator)


def _without_lines(chart: Chart, sides: Sequence[Row], inside: RationalVector, begin: RationalVector, forms: Sequence[Row]) -> Space:
    """The space in as many coordinates as there are independent linear parts of sides and first forms, the others being 0."""
    k = chart.dimension
    linear = [row[:-1] for row in (*sides, *forms)]
    rank = exact_rank(DyadicMatrix.from_integers(linear, k))
    if rank.rank == k:
        return Space(chart, Rows(tuple(sides), chart.dimension), inside, begin, 0)
    columns, rows = (_bits(mask) for mask in (rank.columns, rank.rows))
    block = [[linear[i][j] for j in columns] for i in rows]
    moved = []
    for point in (inside, begin):
        # The point with the same values of all forms on these coordinates.
        solved = solve(block, [[sum(a * v for a, v in zip(linear[i], point.numerators, strict=True))] for i in rows])
        assert solved is not None
        moved.append(RationalVector(tuple(value for (value,) in solved[0]), solved[1] * point.denominator))
    smaller = Chart.identity(k).at_zero(columns)
    rows_left = Rows(tuple(smaller.form(side) for side in sides), rank.rank)
    return Space(chart.at_zero(columns), rows_left, moved[0], moved[1], k - rank.rank)


def _bits(mask: int) -> list[int]:
    return [i for i in range(mask.bit_length()) if mask >> i & 1]


def _empty() -> InvalidRequestError:
    return InvalidRequestError("the domain is empty: no point satisfies all its sides, on the slice if one is given; correct them")


def _undecided() -> InvalidRequestError:
    return InvalidRequestError("no point inside the domain was found within the limits; give the walk one to begin at")
