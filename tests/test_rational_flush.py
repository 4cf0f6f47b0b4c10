"""Flush-to-zero, which another library may have switched on, must not change a weight in silence."""

from __future__ import annotations

import numpy as np
import pytest

from exactrelu.errors import InvalidNumberError
from exactrelu.exact.rational import exact_float64

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
