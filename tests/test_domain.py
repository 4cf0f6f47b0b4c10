"""Domains: words are read exactly, membership is decided exactly, bad requests are refused in one line."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exactrelu.domain import AllSpace, Ball, Box, Orthant, Polytope, parse_domain, refuse_ball
from exactrelu.errors import ExactReluError, InvalidFileError, InvalidRequestError
from exactrelu.exact.rational import RationalVector, format_rational

FRACTIONS = st.fractions(min_value=-3, max_value=3, max_denominator=6)


def point(values):
    return RationalVector.from_fractions(values)


@given(st.lists(FRACTIONS, max_size=4))
def test_orthant_has_no_negative_coordinate(values):
    assert Orthant().contains(point(values)) == (min(values, default=0) >= 0)
    assert AllSpace().contains(point(values))


@given(FRACTIONS, FRACTIONS, st.lists(FRACTIONS, min_size=1, max_size=4))
def test_box_between_its_bounds_or_refused(low, high, values):
    text = f"box:{format_rational(low)},{format_rational(high)}"
    if low > high:
        with pytest.raises(InvalidRequestError, match="the box is empty"):
            parse_domain(text, len(values))
    else:
        domain = parse_domain(text, len(values))
        assert domain.contains(point(values)) == all(low <= value <= high for value in values)
        assert domain.describe() == text == Box(domain.lower, domain.upper).describe()


@given(FRACTIONS, st.lists(FRACTIONS, max_size=4))
def test_ball_within_its_radius_or_refused(radius, values):
    text = f"ball:{format_rational(radius)}"
    if radius < 0:
        with pytest.raises(InvalidRequestError, match=f"radius {format_rational(radius)} is negative"):
            parse_domain(text, len(values))
    else:
        domain = parse_domain(text, len(values))
        assert domain.contains(point(values)) == (sum(value * value for value in values) <= radius * radius)
        assert domain.describe() == text == Ball(radius).describe()
        with pytest.raises(InvalidRequestError, match=f"{text}' is not supported for preimage"):
            refuse_ball(domain)


def test_ball_holds_its_boundary():
    ball = parse_domain("ball:0.5", 2)
    assert ball.contains(point([Fraction(3, 10), Fraction(-4, 10)]))
    assert not ball.contains(point([Fraction(3, 10), Fraction(-4, 10) - Fraction(1, 10**40)]))
    assert parse_domain("ball:0", 2).contains(point([0, 0]))


@given(st.data(), st.integers(0, 3), st.integers(0, 4))
def test_polytope_means_the_rows_of_its_file(tmp_path_factory, data, n, rows):
    a = data.draw(st.lists(st.lists(FRACTIONS, min_size=n, max_size=n), min_size=rows, max_size=rows))
    b = data.draw(st.lists(FRACTIONS, min_size=rows, max_size=rows))
    x = data.draw(st.lists(FRACTIONS, min_size=n, max_size=n))
    path = tmp_path_factory.mktemp("polytope") / "p.json"

    def spelled(value):
        return int(value) if value.denominator == 1 else str(value)

    path.write_text(json.dumps({"A": [[spelled(value) for value in row] for row in a], "b": [spelled(value) for value in b]}))
    domain = parse_domain(f"polytope:{path}", n)
    truth = all(sum(u * v for u, v in zip(row, x, strict=True)) + offset <= 0 for row, offset in zip(a, b, strict=True))
    assert domain.contains(point(x)) == truth
    for line, row, offset in zip(domain.lines()[1:], a, b, strict=True):
        integers = [int(token, 16) for token in line.split()[1:]]
        pairs = list(zip(integers, [offset, *row], strict=True))
        assert all((integer > 0) == (value > 0) and (integer == 0) == (value == 0) for integer, value in pairs)
        assert len({integer / value for integer, value in pairs if value}) <= 1


def test_certificate_sections():
    assert AllSpace().lines() == ("domain all",)
    assert Orthant().lines() == ("domain orthant",)
    assert parse_domain("box:-1/2,16", 2).lines() == ("domain box", "lower 2 -1 -1", "upper 1 10 10")
    assert parse_domain("ball:17/6", 2).lines() == ("domain ball 6 11",)
    assert Polytope(((1, -17),), (0,)).lines() == ("domain polytope 1", "side 0 1 -11")


def test_box_from_a_file_is_the_dyadics_it_holds(tmp_path):
    np.savez(tmp_path / "box.npz", lo=np.array([0.1, 0.0]), hi=np.array([0.5, 0.0]))
    box = parse_domain(f"box:{tmp_path / 'box.npz'}", 2)
    assert box.lower.fractions() == [Fraction(0.1), 0]
    assert box.contains(point([Fraction(1, 2), 0]))
    assert not box.contains(point([Fraction(1, 10), 0]))
    assert box.describe() == f"box:{tmp_path / 'box.npz'}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "everything",
        "box",
        "box:",
        "box:0",
        "box:0,1,2",
        "box:nan,1",
        "box:0,inf",
        "box:1,0",
        "box:0,1/0",
        "ball",
        "ball:",
        "ball:-1",
        "ball:-1/1000",
        "ball:nan",
        "ball:1,2",
        "image:all",
        "polytope:",
    ],
)
def test_other_words_are_refused(text):
    with pytest.raises(ExactReluError) as caught:
        parse_domain(text, 3)
    assert "\n" not in str(caught.value)


def test_huge_bounds_in_the_wrong_order_are_refused():
    with pytest.raises(InvalidRequestError, match="empty"):
        parse_domain("box:1e9999,0", 1)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"A": [[1, 2]], "b": [0.5]}',
        '{"A": [[1, NaN]], "b": [0]}',
        '{"A": [[1, true]], "b": [0]}',
        '{"A": [[1, null]], "b": [0]}',
        '{"A": [[1, "x"]], "b": [0]}',
        '{"A": [[1, "1/0"]], "b": [0]}',
        '{"A": [[1, 2]], "b": []}',
        '{"A": [[1, 2]]}',
        '{"A": [[1, 2]], "b": [0], "c": 1}',
        '{"A": [1, 2], "b": [0, 1]}',
        '{"A": [[' + "1" * 5000 + ', 1]], "b": [0]}',
        "[" * 100_000,
    ],
)
def test_files_that_hold_no_polytope_are_refused(tmp_path, content):
    path = tmp_path / "p.json"
    path.write_text(content)
    with pytest.raises(InvalidFileError) as caught:
        parse_domain(f"polytope:{path}", 2)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_dimensions_must_agree(tmp_path):
    path = tmp_path / "p.json"
    for content in ('{"A": [[1, 2]], "b": [0]}', '{"A": [[1, 2, 3], [1, 2]], "b": [0, 0]}'):
        path.write_text(content)
        with pytest.raises(InvalidRequestError):
            parse_domain(f"polytope:{path}", 3)
    np.savez(tmp_path / "box.npz", lo=np.zeros(2), hi=np.ones(2))
    with pytest.raises(InvalidRequestError):
        parse_domain(f"box:{tmp_path / 'box.npz'}", 3)
    np.savez(tmp_path / "box.npz", lo=np.zeros(2))
    with pytest.raises(InvalidFileError, match="no array 'hi'"):
        parse_domain(f"box:{tmp_path / 'box.npz'}", 2)
    with pytest.raises(InvalidFileError, match="does not exist"):
        parse_domain(f"box:{tmp_path / 'none.npz'}", 2)
