"""Is a certificate's claim true? Decided by an independent exact polyhedra library from the two texts, without the evidence.

`truth(network_text, certificate_text)` shares no code with the prover or the checkers; use it for small layers (n <= 4).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import lcm
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ppl: Any = pytest.importorskip("ppl", reason="pplpy gives the second opinion")

Row = tuple[Fraction, list[Fraction]]


def hexadecimal(token: str) -> int:
    return int(token, 16)


def read_layers(network_text: str) -> list[tuple[list[bool], list[Row]]]:
    layers: list[tuple[list[bool], list[Row]]] = []
    for line in network_text.splitlines():
        word, *tokens = line.split(" ")
        if word == "layer":
            outputs = hexadecimal(tokens[1])
            mask = {"all": -1, "none": 0}.get(tokens[2])
            mask = hexadecimal(tokens[3]) if mask is None else mask
            inputs = hexadecimal(tokens[0])
            layers.append(([bool(mask >> i & 1) for i in range(outputs)], []))
        elif word == "sparse":
            exponent, constant, _, *pairs = map(hexadecimal, tokens)
            unit = Fraction(2) ** exponent
            row = [Fraction(0)] * inputs
            for column, value in zip(pairs[::2], pairs[1::2], strict=True):
                row[column] = value * unit
            layers[-1][1].append((constant * unit, row))
        elif word == "row":
            exponent, constant, *values = map(hexadecimal, tokens)
            unit = Fraction(2) ** exponent
            layers[-1][1].append((constant * unit, [value * unit for value in values]))
    return layers


def rational(tokens: list[str]) -> list[Fraction]:
    denominator, *values = map(hexadecimal, tokens)
    return [Fraction(value, denominator) for value in values]


def affine(row: Row, x: list[Fraction]) -> Fraction:
    return row[0] + sum((a * v for a, v in zip(row[1], x, strict=True)), Fraction(0))


def rank(rows: list[list[Fraction]]) -> int:
    rows = [list(row) for row in rows]
    found = 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((i for i in range(found, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][column] / rows[found][column]
            rows[i] = [u - factor * v for u, v in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


def expression(row: Row) -> Any:
    """A positive multiple of constant + coefficients . x, with integer coefficients."""
    constant, coefficients = row
    scale = lcm(constant.denominator, *(a.denominator for a in coefficients))
    total = ppl.Linear_Expression(int(constant * scale))
    for j, a in enumerate(coefficients):
        total += int(a * scale) * ppl.Variable(j)
    return total


Layer = tuple[list[bool], list[Row]]


def evaluate(layer: Layer, x: list[Fraction]) -> list[Fraction]:
    values = [affine(row, x) for row in layer[1]]
    return [max(value, Fraction(0)) if marked else value for value, marked in zip(values, layer[0], strict=True)]


def unit(n: int, j: int, sign: int) -> list[Fraction]:
    return [Fraction(sign if i == j else 0) for i in range(n)]


def domain_rows(lines: list[list[str]], fields: dict[str, list[str]], n: int) -> list[Row]:
    """The domain as rows, each at most 0 on it."""
    domain = fields["domain"][0]
    if domain == "orthant":
        return [(Fraction(0), unit(n, j, -1)) for j in range(n)]
    if domain == "box":
        bounds = list(zip(rational(fields["lower"]), rational(fields["upper"]), strict=True))
        sides = [[(lower, unit(n, j, -1)), (-upper, unit(n, j, 1))] for j, (lower, upper) in enumerate(bounds)]
        return [side for pair in sides for side in pair]
    sides = [list(map(hexadecimal, line[1:])) for line in lines if line[0] == "side"] if domain == "polytope" else []
    return [(Fraction(constant), [Fraction(value) for value in values]) for constant, *values in sides]


def polyhedron_of(n: int, inequalities: list[Row], equalities: list[Row]) -> Any:
    """{x in R^n: rows at most 0, rows 0}; R^0 is taken for {0} in R^1."""
    polyhedron = ppl.C_Polyhedron(max(n, 1), "universe")
    for row in inequalities:
        polyhedron.add_constraint(expression(row) <= 0)
    for row in equalities if n else [*equalities, (Fraction(0), [Fraction(1)])]:
        polyhedron.add_constraint(expression(row) == 0)
    return polyhedron


def truth(network_text: str, certificate_text: str) -> bool:
    """Whether the claim of a well-formed certificate is true of this network; ValueError or KeyError if it is not well-formed."""
    layers = read_layers(network_text)
    lines = [line.split(" ") for line in certificate_text.splitlines()]
    fields = {line[0]: line[1:] for line in reversed(lines)}
    kind, number = fields["scope"][0], hexadecimal(fields["scope"][1])
    widths = [hexadecimal(network_text.split("\ninput ")[1].split("\n", maxsplit=1)[0]), *(len(rows) for _, rows in layers)]
    asked = layers[:number] if kind == "through" else layers[number - 1 : number]
    n = widths[number - len(asked)]
    claim = fields["claim"][0]
    if claim != "preimage":
        return truth_about_all_inputs(lines, fields, asked, n)
    if fields["subject"][0] == "output":
        y = rational(fields["output"])
    else:
        y = rational(fields["point"])
        for layer in layers[:number] if fields["subject"][0] == "input" else asked:
            y = evaluate(layer, y)
    if len(y) != widths[number]:
        raise ValueError("wrong width")
    domain = domain_rows(lines, fields, n)
    if kind == "through":
        return composition_truth(asked, n, domain, y, fields["claim"][1:])
    return layer_truth(asked[0], n, domain, y, fields["claim"][1:])


def truth_about_all_inputs(lines: list[list[str]], fields: dict[str, list[str]], asked: list[Layer], n: int) -> bool:
    """Sections 3.4 and 3.5."""
    claim, kind = fields["claim"][0], fields["scope"][0]
    domain, radius = domain_rows(lines, fields, n), radius_of(fields)
    asked = [lowered(layer, ratio(fields.get("lowered", ["1", "0"]))) for layer in asked]
    if claim == "regions":
        counts = [hexadecimal(token) for token in fields["claim"][1:]]
        if "slice" in fields:
            asked, n, domain = on_slice(lines, asked, domain)
        return regions_are(asked, n, domain, counts)
    if claim == "injective":
        # No polyhedra tell about several layers on a ball.
        several = kind == "through" and radius is None
        return composition_is_injective(asked, n, domain) if several else layer_is_injective(asked[0], n, domain, radius)
    if claim == "collision":
        return points_collide(asked, domain, rational(fields["first"]), rational(fields["second"]), radius)
    bound = ratio(fields["claim"][1:])
    if claim == "bias-limit":
        return collides_beyond(asked[0], n, domain, bound, radius)
    return spans_by(asked[0], n, domain, bound, radius)


def radius_of(fields: dict[str, list[str]]) -> Fraction | None:
    """The radius of a ball; None for another domain."""
    return ratio(fields["domain"][1:]) if fields["domain"][0] == "ball" else None


def ratio(tokens: list[str]) -> Fraction:
    denominator, numerator = map(hexadecimal, tokens)
    return Fraction(numerator, denominator)


def lowered(layer: Layer, by: Fraction) -> Layer:
    rectified, rows = layer
    return rectified, [(row[0] - by if marked else row[0], row[1]) for marked, row in zip(rectified, rows, strict=True)]


Piece = tuple[list[Row], list[Row]]
"""Rows at most 0 in a linear region, and the values of the layers there."""


def linear_regions(layers: list[Layer], n: int, domain: list[Row]) -> list[Piece]:
    """One for every choice of the relus that are on; flat ones among them."""
    regions: list[Piece] = [(domain, [(Fraction(0), unit(n, j, 1)) for j in range(n)])]
    for rectified, rows in layers:
        following = []
        for inequalities, state in regions:
            cases: list[tuple[list[Row], list[Row]]] = [(inequalities, [])]
            for (constant, coefficients), marked in zip(rows, rectified, strict=True):
                value = constant + sum((a * s[0] for a, s in zip(coefficients, state, strict=True)), Fraction(0))
                slope = [sum((a * s[1][j] for a, s in zip(coefficients, state, strict=True)), Fraction(0)) for j in range(n)]
                here, below = (value, slope), (-value, [-a for a in slope])
                zero = (Fraction(0), [Fraction(0)] * n)
                cases = [
                    chosen
                    for conditions, outputs in cases
                    for chosen in (
                        [([*conditions, below], [*outputs, here]), ([*conditions, here], [*outputs, zero])]
                        if marked
                        else [(conditions, [*outputs, here])]
                    )
                    if not polyhedron_of(n, chosen[0], []).is_empty()
                ]
            following += cases
        regions = following
    return regions


def on_slice(lines: list[list[str]], layers: list[Layer], domain: list[Row]) -> tuple[list[Layer], int, list[Row]]:
    """The layers and the domain in the coordinates t of the inputs origin + sum of t_i * direction_i."""
    start = next(i for i, line in enumerate(lines) if line[0] == "slice")
    size = hexadecimal(lines[start][1])
    origin, *directions = [rational(line[1:]) for line in lines[start + 1 : start + size + 2]]
    if rank(directions) != size:
        raise ValueError("dependent directions")

    def along(row: Row) -> Row:
        return affine(row, origin), [affine((Fraction(0), row[1]), direction) for direction in directions]

    (rectified, rows), *others = layers
    return [(rectified, [along(row) for row in rows]), *others], size, [along(row) for row in domain]


def regions_are(layers: list[Layer], n: int, domain: list[Row], counts: list[int]) -> bool:
    """Whether the domain has so many activation regions, and so many pairs of them are adjacent.

    A neuron that is 0 throughout a region is on or off there: the same polyhedron, which counts once.
    """
    distinct: list[Any] = []
    for inequalities, _ in linear_regions(layers, n, domain):
        piece = polyhedron_of(n, inequalities, [])
        if not piece.is_empty() and piece.affine_dimension() == n and piece not in distinct:
            distinct.append(piece)
    adjacent = 0
    for first, second in combinations(distinct, 2):
        common = ppl.C_Polyhedron(first)
        common.intersection_assign(second)
        adjacent += not common.is_empty() and common.affine_dimension() == n - 1
    return bool(distinct) and counts == [len(distinct), adjacent]


def composition_is_injective(layers: list[Layer], n: int, domain: list[Row]) -> bool:
    """Whether x and y in any two linear regions, with one value, are equal."""
    zero = [Fraction(0)] * n
    regions = [piece for piece in linear_regions(layers, n, domain) if not polyhedron_of(n, piece[0], []).is_empty()]
    for number, (first, values) in enumerate(regions):
        for second, others in regions[number:]:
            rows = [(constant, [*row, *zero]) for constant, row in first] + [(constant, [*zero, *row]) for constant, row in second]
            pairs = zip(values, others, strict=True)
            both = polyhedron_of(2 * n, rows, [(a[0] - b[0], [*a[1], *(-value for value in b[1])]) for a, b in pairs])
            for j in range(n):
                same = ppl.Variable(j) - ppl.Variable(n + j) == 0
                if not both.is_empty() and not both.relation_with(same).implies(ppl.Poly_Con_Relation.is_included()):
                    return False
    return True


def composition_truth(layers: list[Layer], n: int, domain: list[Row], y: list[Fraction], claim: list[str]) -> bool:
    """By the linear regions: the pre-image is the union of one polyhedron for every choice of the relus that are on."""
    regions = linear_regions(layers, n, domain)
    pieces = [
        polyhedron_of(n, inequalities, [(row[0] - value, row[1]) for row, value in zip(state, y, strict=True)])
        for inequalities, state in regions
    ]
    pieces = [piece for piece in pieces if not piece.is_empty()]
    if claim == ["empty"]:
        return not pieces
    kind, *numbers = claim[0], *map(hexadecimal, claim[1:])
    count = numbers.pop(0) if kind == "finite" else 1
    active, *dimension = numbers
    if not pieces or active != sum(value > 0 for value in y):
        return False
    largest = max(int(piece.affine_dimension()) for piece in pieces)
    if kind in {"singleton", "finite"}:
        return largest == 0 and not dimension and count == len({str(piece.minimized_generators()) for piece in pieces})
    bounded = all(piece.is_bounded() for piece in pieces)
    return (
        largest > 0 and dimension in ([], [largest]) and not (kind == "bounded" and not bounded) and not (kind == "unbounded" and bounded)
    )


def layer_truth(layer: Layer, n: int, domain: list[Row], y: list[Fraction], claim: list[str]) -> bool:
    rectified, rows = layer
    inequalities, equalities = list(domain), []
    for (constant, coefficients), value, marked in zip(rows, y, rectified, strict=True):
        if marked and value < 0:
            equalities.append((Fraction(1), [Fraction(0)] * n))
        elif marked and value == 0:
            inequalities.append((constant, coefficients))
        else:
            equalities.append((constant - value, coefficients))
    polyhedron = polyhedron_of(n, inequalities, equalities)
    if claim == ["empty"]:
        return bool(polyhedron.is_empty())
    kind, dimension, claimed_rank, active = claim[0], *map(hexadecimal, claim[1:])
    if polyhedron.is_empty():
        return False
    actual = int(polyhedron.affine_dimension())
    # on X a rectified row is in P iff its output is positive
    in_p = [row[1] for row, value, marked in zip(rows, y, rectified, strict=True) if not marked or value > 0]
    bounded = bool(polyhedron.is_bounded())
    return (
        actual == dimension
        and (kind == "singleton") == (actual == 0)
        and not (kind == "bounded" and not bounded)
        and not (kind == "unbounded" and bounded)
        and rank(in_p) == claimed_rank
        and sum(value > 0 for value in y) == active
    )


# ---------- all inputs of a layer


def directions_of_one_value(n: int, domain: list[Row], radius: Fraction | None) -> list[list[Fraction]]:
    """Rows that are constant on the domain; their combinations are all that are."""
    if radius == 0:
        return [unit(n, j, 1) for j in range(n)]
    constraints = polyhedron_of(n, domain, []).minimized_constraints()
    return [[Fraction(int(one.coefficient(ppl.Variable(j)))) for j in range(n)] for one in constraints if one.is_equality()]


def negative_together(n: int, rows: list[Row], domain: list[Row], radius: Fraction | None) -> bool:
    """Whether these rows are all negative at a point of the domain.

    An open set meets the ball of radius r > 0 iff it is not empty and the least norm of its closure is below r: a point of it that is in
    the ball can be drawn towards 0.
    """
    if radius == 0:
        return all(row[0] < 0 for row in rows)
    open_part = ppl.NNC_Polyhedron(polyhedron_of(n, domain, []))
    for row in rows:
        open_part.add_constraint(expression(row) < 0)
    if open_part.is_empty():
        return False
    if radius is None:
        return True
    least = least_square(n, rows)
    return least is not None and least < radius**2


def least_square(n: int, rows: list[Row]) -> Fraction | None:
    """The least |x|^2 where all rows are at most 0: that of the point nearest to 0 on some of the rows as equalities; None if nowhere."""
    found = []
    for size in range(n + 1):
        for chosen in combinations(rows, size):
            normals = [row[1] for row in chosen]
            if rank(normals) < size:
                continue
            gram = [[sum((s * t for s, t in zip(u, v, strict=True)), Fraction(0)) for v in normals] for u in normals]
            weights = solve(gram, [-row[0] for row in chosen])
            x = [sum((w * u[j] for w, u in zip(weights, normals, strict=True)), Fraction(0)) for j in range(n)]
            if all(affine(row, x) <= 0 for row in rows):
                found.append(sum((value * value for value in x), Fraction(0)))
    return min(found, default=None)


def determinant(matrix: list[list[Fraction]]) -> Fraction:
    """By the first row."""
    if not matrix:
        return Fraction(1)
    terms = ((-1) ** j * entry * determinant([row[:j] + row[j + 1 :] for row in matrix[1:]]) for j, entry in enumerate(matrix[0]) if entry)
    return sum(terms, Fraction(0))


def solve(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """Cramer's rule."""
    whole = determinant(matrix)
    columns = ([[*row[:j], b, *row[j + 1 :]] for row, b in zip(matrix, right, strict=True)] for j in range(len(right)))
    return [determinant(column) / whole for column in columns]


def activations(rectified: list[bool]) -> Iterator[set[int]]:
    """Every set of rectified rows."""
    marked = [j for j, relu in enumerate(rectified) if relu]
    for chosen in product([False, True], repeat=len(marked)):
        yield {j for j, below in zip(marked, chosen, strict=True) if below}


def layer_is_injective(layer: Layer, n: int, domain: list[Row], radius: Fraction | None = None) -> bool:
    """No rows are all negative at a point of the domain where the others, with what is constant on it, have rank below n.

    Such a point there is also in the relative interior, and from it a step along the null space to both sides changes no output;
    and between two inputs with one output all rows are negative that differ there.
    """
    rectified, rows = layer
    if polyhedron_of(n, domain, []).is_empty():
        return True
    constant = directions_of_one_value(n, domain, radius)
    for negative in activations(rectified):
        if rank([row[1] for j, row in enumerate(rows) if j not in negative] + constant) == n:
            continue
        if negative_together(n, [rows[j] for j in negative], domain, radius):
            return False
    return True


def collides_beyond(layer: Layer, n: int, domain: list[Row], limit: Fraction, radius: Fraction | None) -> bool:
    """Whether for every t > limit, lowered by t, some rows are all negative somewhere and the others have rank below n.

    For one choice of rows this is so for every t > limit iff the least of their maximum on the domain is at most the limit.
    """
    rectified, rows = layer
    if polyhedron_of(n, domain, []).is_empty():
        return False
    constant = directions_of_one_value(n, domain, radius)
    for negative in activations(rectified):
        if rank([row[1] for j, row in enumerate(rows) if j not in negative] + constant) == n:
            continue
        below = [(rows[j][0] - limit, rows[j][1]) for j in negative]
        if radius is not None:
            least = least_square(n, below)
            if least is not None and least <= radius**2:
                return True
        elif not below:
            return True
        else:
            # the least number s that is at least all of the rows somewhere in the domain
            above = ppl.C_Polyhedron(n + 1, "universe")
            for row in [(row[0], [*row[1], Fraction(0)]) for row in domain] + [(row[0], [*row[1], Fraction(-1)]) for row in below]:
                above.add_constraint(expression(row) <= 0)
            least_maximum = above.minimize(ppl.Linear_Expression(ppl.Variable(n)))
            if not least_maximum["bounded"] or Fraction(int(least_maximum["inf_n"]), int(least_maximum["inf_d"])) <= 0:
                return True
    return False


def spans_by(layer: Layer, n: int, domain: list[Row], least: Fraction, radius: Fraction | None) -> bool:
    """Whether, at every point of the domain, W^T W - least * I is positive semidefinite for the rows W that are not negative there.

    Then distances shrink by at most 1/2 sqrt(least) (theory I6). Columns in which the domain has one value are left out;
    a matrix is semidefinite iff all its principal minors are at least 0.
    """
    rectified, rows = layer
    if polyhedron_of(n, domain, []).is_empty():
        return True
    fixed = directions_of_one_value(n, domain, radius)
    free = [j for j in range(n) if rank([*fixed, unit(n, j, 1)]) > rank(fixed)]
    for negative in activations(rectified):
        if not negative_together(n, [rows[j] for j in negative], domain, radius):
            continue
        active = [row[1] for j, row in enumerate(rows) if j not in negative]
        matrix = [[sum((row[i] * row[j] for row in active), Fraction(0)) - (least if i == j else 0) for j in free] for i in free]
        for size in range(len(free) + 1):
            for chosen in combinations(range(len(free)), size):
                if determinant([[matrix[i][j] for j in chosen] for i in chosen]) < 0:
                    return False
    return True


def points_collide(
    layers: list[Layer], domain: list[Row], first: list[Fraction], second: list[Fraction], radius: Fraction | None = None
) -> bool:
    """Whether two points are in the domain, different, and have one output."""
    if first == second or any(affine(row, x) > 0 for row in domain for x in (first, second)):
        return False
    if radius is not None and any(sum(value * value for value in x) > radius**2 for x in (first, second)):
        return False
    for layer in layers:
        first, second = evaluate(layer, first), evaluate(layer, second)
    return first == second
