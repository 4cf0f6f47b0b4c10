"""Is a certificate's claim true? Decided by an independent exact polyhedra library from the two texts, without the evidence.

`truth(network_text, certificate_text)` shares no code with the prover or the checkers; use it for small layers (n <= 4).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import lcm
from typing import Any

import pytest

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
    if fields["claim"] == ["injective"]:
        return layer_is_injective(asked[0], n, domain_rows(lines, fields, n))
    if fields["claim"] == ["collision"]:
        return points_collide(asked, domain_rows(lines, fields, n), *(rational(fields[word]) for word in ("first", "second")))
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


def composition_truth(layers: list[Layer], n: int, domain: list[Row], y: list[Fraction], claim: list[str]) -> bool:
    """By the linear regions: the pre-image is the union of one polyhedron for every choice of the relus that are on."""
    regions = [(domain, [(Fraction(0), unit(n, j, 1)) for j in range(n)])]
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
    pieces = [
        polyhedron_of(n, inequalities, [(row[0] - value, row[1]) for row, value in zip(state, y, strict=True)])
        for inequalities, state in regions
    ]
    pieces = [piece for piece in pieces if not piece.is_empty()]
    if claim == ["empty"]:
        return not pieces
    kind, active = claim[0], hexadecimal(claim[1])
    if not pieces or active != sum(value > 0 for value in y):
        return False
    infinite = any(piece.affine_dimension() > 0 for piece in pieces)
    bounded = all(piece.is_bounded() for piece in pieces)
    if kind == "singleton":
        return not infinite and all(piece == pieces[0] for piece in pieces)
    return infinite and not (kind == "bounded" and not bounded) and not (kind == "unbounded" and bounded)


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


def layer_is_injective(layer: Layer, n: int, domain: list[Row]) -> bool:
    """No rows are all negative at a point of the domain where the others, with what is constant on it, have rank below n.

    Such a point there is also in the relative interior, and from it a step along the null space to both sides changes no output;
    and between two inputs with one output all rows are negative that differ there.
    """
    rectified, rows = layer
    closed = polyhedron_of(n, domain, [])
    constant = [
        [Fraction(int(constraint.coefficient(ppl.Variable(j)))) for j in range(n)]
        for constraint in closed.minimized_constraints()
        if constraint.is_equality()
    ]
    if closed.is_empty():
        return True
    marked = [j for j, relu in enumerate(rectified) if relu]
    for chosen in product([False, True], repeat=len(marked)):
        negative = {j for j, below in zip(marked, chosen, strict=True) if below}
        if rank([row[1] for j, row in enumerate(rows) if j not in negative] + constant) == n:
            continue
        open_part = ppl.NNC_Polyhedron(closed)
        for j in negative:
            open_part.add_constraint(expression(rows[j]) < 0)
        if not open_part.is_empty():
            return False
    return True


def points_collide(layers: list[Layer], domain: list[Row], first: list[Fraction], second: list[Fraction]) -> bool:
    """Whether two points are in the domain, different, and have one output."""
    if first == second or any(affine(row, x) > 0 for row in domain for x in (first, second)):
        return False
    for layer in layers:
        first, second = evaluate(layer, first), evaluate(layer, second)
    return first == second
