"""Flush-to-zero, which another library may have switched on, must not change a weight in silence."""

from __future__ import annotations

import numpy as np
import pytest

from exactrelu.domain import AllSpace
from exactrelu.errors import InvalidNumberError
from exactrelu.exact.rational import DyadicMatrix, RationalVector, exact_float64
from exactrelu.network.model import Layer
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.verdict import Cardinality

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("values", [np.array([1.0, 2.0**-149], dtype=np.float32), np.array([1.0, 5e-324])])
def test_a_subnormal_entry_is_kept_or_refused(values: np.ndarray) -> None:
    assert (exact_float64(values) != 0).all()
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormals to zero")
    try:
        with pytest.raises(InvalidNumberError, match="index \\(1,\\)"):
            exact_float64(values, name="weight")
    finally:
        torch.set_flush_denormal(False)


def test_zeros_of_both_signs_are_no_loss() -> None:
    assert exact_float64(np.array([0.0, -0.0], dtype=np.float16)).tolist() == [0.0, 0.0]


def test_verdicts_do_not_depend_on_flushing_switched_on_later() -> None:
    layer = Layer(
        DyadicMatrix.from_floats([[1.0, 0.0], [0.0, 2.0**-1060]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True])
    )
    x = RationalVector((1, 1))
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormals to zero")
    try:
        prepared = LayerPreimage(layer, AllSpace())
        found = [prepared.of_point(x), prepared.of_output(layer(x))]
    finally:
        torch.set_flush_denormal(False)
    assert [one.cardinality for one in found] == [Cardinality.SINGLETON] * 2
