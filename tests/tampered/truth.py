"""Is a certificate's claim true? Decided by an independent exact polyhedra library from the two texts, without the evidence.

`truth(network_text, certificate_text)` shares no code with the prover or the checkers; use it for small layers (n <= 4).
"""

from __future__ import annotations

from fractions import Fraction
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
            layers.append(([bool(mask >> i & 1) for i in range(outputs)], []))
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


def truth(network_text: str, certificate_text: str) -> bool:  # noqa: C901 - one claim, read from top to bottom
    """Whether the claim of a well-formed certificate is true of this network; ValueError or KeyError if it is not well-formed."""
    layers = read_layers(network_text)
    lines = [line.split(" ") for line in certificate_text.splitlines()]
    fields = {line[0]: line[1:] for line in reversed(lines)}
    number = hexadecimal(fields["scope"][1])
    rectified, rows = layers[number - 1]
    n = (
        len(rows[0][1])
        if rows
        else len(layers[number - 2][1])
        if number > 1
        else hexadecimal(network_text.split("\ninput ")[1].split("\n", maxsplit=1)[0])
    )

    def evaluate(layer: tuple[list[bool], list[Row]], x: list[Fraction]) -> list[Fraction]:
        values = [affine(row, x) for row in layer[1]]
        return [max(value, Fraction(0)) if marked else value for value, marked in zip(values, layer[0], strict=True)]

    if fields["subject"][0] == "output":
        y = rational(fields["output"])
    else:
        x = rational(fields["point"])
        for layer in layers[: number - 1] if fields["subject"][0] == "input" else []:
            x = evaluate(layer, x)
        y = evaluate(layers[number - 1], x)
    if len(y) != len(rows):
        raise ValueError("wrong width")

    polyhedron = ppl.C_Polyhedron(max(n, 1), "universe")

    def add(row: Row, equality: bool) -> None:
        polyhedron.add_constraint(expression(row) == 0 if equality else expression(row) <= 0)

    if n == 0:
        add((Fraction(0), [Fraction(1)]), True)
    for (constant, coefficients), value, marked in zip(rows, y, rectified, strict=True):
        if marked and value < 0:
            add((Fraction(1), [Fraction(0)] * n), True)
        elif marked and value == 0:
            add((constant, coefficients), False)
        else:
            add((constant - value, coefficients), True)

    def unit(j: int, sign: int) -> list[Fraction]:
        return [Fraction(sign if i == j else 0) for i in range(n)]

    domain = fields["domain"][0]
    if domain == "orthant":
        for j in range(n):
            add((Fraction(0), unit(j, -1)), False)
    elif domain == "box":
        for j, (lower, upper) in enumerate(zip(rational(fields["lower"]), rational(fields["upper"]), strict=True)):
            add((lower, unit(j, -1)), False)
            add((-upper, unit(j, 1)), False)
    elif domain == "polytope":
        for line in lines:
            if line[0] == "side":
                constant, *values = map(hexadecimal, line[1:])
                add((Fraction(constant), [Fraction(value) for value in values]), False)

    claim = fields["claim"][1:]
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
