"""Small networks as SymPy expressions: the whole function with Max or Piecewise, the affine map of a region, exact singular values.

All numbers are exact rationals. Expressions grow with every layer, so that this is for networks that fit on a page; SymPy is imported by
the functions that need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.gram import gram_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from exactrelu.exact.rational import DyadicMatrix, RationalVector
    from exactrelu.network.model import Network

_MOST_WEIGHTS = 2000
LARGEST_ROOTS = 12


def expressions(network: Network, *, form: Literal["max", "piecewise"] = "max") -> tuple[Any, ...]:
    """Every output as an expression in symbols x1, .., xn; a relu is Max(0, z), or a Piecewise.

    Raises InvalidRequestError for networks with more than 2000 weights, and where SymPy is missing.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> import numpy as np
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, -0.5]]), DyadicMatrix.from_floats([[0.25]]), np.array([True]))
    >>> expressions(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (2,)))
    (Max(0, x1 - x2/2 + 1/4),)
    """
    sympy = _sympy()
    check_size(sum(layer.outputs * layer.inputs for layer in network.layers))
    state: tuple[Any, ...] = symbols(network.inputs)
    for layer in network.layers:
        affine = _affine(layer.weight, layer.bias, state)
        rectified = (_relu(sympy, value, form) if relu else value for value, relu in zip(affine, layer.rectified.tolist(), strict=True))
        state = tuple(rectified)
    return state


def check_size(weights: int) -> None:
    """Raise InvalidRequestError where so many weights are too many to write down, or SymPy is missing."""
    _sympy()
    if weights > _MOST_WEIGHTS:
        raise InvalidRequestError(f"the network has {weights} weights, too many to write down; expressions are for up to {_MOST_WEIGHTS}")


def region_expressions(network: Network, x: RationalVector) -> tuple[Any, ...]:
    """The affine map A_P x + b_P that the network is on the region of a point, one expression an output (theory S3).

    >>> from exactrelu import DyadicMatrix, Layer, Network, RationalVector, SourceLayer
    >>> import numpy as np
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.25], [0.0]]), np.array([True, True]))
    >>> region_expressions(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (1,)), RationalVector((1,)))
    (x1 + 1/4, 0)
    """
    return _affine(*network.affine_map(network.activation_pattern(x)), symbols(network.inputs))


def exact_singular_values(matrix: DyadicMatrix) -> tuple[Any, ...]:
    """The min(m, n) singular values of a small matrix as algebraic numbers, largest first: radicals, or roots of a polynomial.

    Raises InvalidRequestError where min(m, n) exceeds 12.

    >>> from exactrelu import DyadicMatrix
    >>> exact_singular_values(DyadicMatrix.from_floats([[1.0, 1.0], [0.0, 1.0]]))
    (sqrt(sqrt(5)/2 + 3/2), sqrt(3/2 - sqrt(5)/2))
    """
    sympy = _sympy()
    if min(matrix.shape) > LARGEST_ROOTS:
        raise InvalidRequestError(f"exact singular values are for matrices with up to {LARGEST_ROOTS} rows or columns, not {matrix.shape}")
    gram, exponent = gram_matrix(matrix)
    coefficients = [int(value) for value in gram.charpoly().coeffs()]
    roots = sympy.Poly(coefficients[::-1], sympy.Symbol("t")).real_roots() if len(coefficients) > 1 else []
    return tuple(sympy.sqrt(root) * sympy.Integer(2) ** exponent for root in reversed(roots))


def latex(found: Sequence[Any]) -> str:
    """Expressions as one LaTeX column.

    >>> latex(symbols(2))
    '\\\\left[\\\\begin{matrix}x_{1}\\\\\\\\x_{2}\\\\end{matrix}\\\\right]'
    """
    return str(_sympy().latex(_sympy().Matrix(list(found))))


def symbols(n: int) -> tuple[Any, ...]:
    """x1, .., xn, real.

    >>> symbols(2)
    (x1, x2)
    """
    return tuple(_sympy().Symbol(f"x{place}", real=True) for place in range(1, n + 1))


def _affine(weight: DyadicMatrix, bias: DyadicMatrix, state: Sequence[Any]) -> tuple[Any, ...]:
    sympy = _sympy()
    rows = zip(weight.fractions(), bias.fractions(), strict=True)
    return tuple(sympy.Add(_rational(b), *(_rational(w) * value for w, value in zip(row, state, strict=True))) for row, (b,) in rows)


def _relu(sympy: Any, value: Any, form: str) -> Any:
    return sympy.Max(0, value) if form == "max" else sympy.Piecewise((value, value > 0), (0, True))


def _rational(value: Fraction) -> Any:
    return _sympy().Rational(value.numerator, value.denominator)


def _sympy() -> Any:
    try:
        import sympy
    except ImportError:
        raise InvalidRequestError("expressions need SymPy, which is not installed; install sympy") from None
    return sympy
