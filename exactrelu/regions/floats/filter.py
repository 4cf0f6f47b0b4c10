"""Signs of pre-activations in floats, with a proved bound: an optimisation that leaves a sign undecided rather than guess it.

The network is evaluated at many homogeneous points at once. Rows are scaled by powers of two, which keeps signs. With u = 2^-53, inputs
a~ with |a~ - a| <= e, and a row w~ of k entries with a relative error of at most 4u each, the computed sum of products differs from the
exact one by at most |w~| e (1 + 4u) + gamma_{k+8} |w~| |a~|, and by what underflow loses, far less than 2^-1000 (1 + |a~|_1 + |e|_1).
An infinity or nan on the way satisfies no comparison: the sign stays undecided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rounding import UNIT_ROUNDOFF, UPWARDS, float_arithmetic_is_sound, gamma

if TYPE_CHECKING:
    from exactrelu.regions.floats.layers import FloatLayers

# As many as the processor's cache holds.
_NUMBERS_AT_ONCE = 2**17
_UNDERFLOW = 2.0**-1000
_LARGEST = 2.0**900
_LARGEST_WIDTH = 2**20 - 8


class FloatFilter:
    """Signs of the neurons of any layer at points that are known up to an error; those that it decides are right."""

    def __init__(self, layers: FloatLayers) -> None:
        self._layers = layers

    def signs(self, number: int, rows: np.ndarray, points: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(positive, negative): boolean masks (points, rows) of the signs of these rows of layer `number` (from 0) that are proved.

        points: homogeneous coordinates (z, tau) up to a factor, (points, k + 1); errors: a bound (points,) for each of its coordinates.
        """
        positive, negative = (np.zeros((len(points), len(rows)), dtype=bool) for _ in range(2))
        if float_arithmetic_is_sound():
            with np.errstate(all="ignore"):
                widest = max(self._layers.pair(layer)[0].shape[0] for layer in range(number + 1))
                step = max(1, _NUMBERS_AT_ONCE // max(1, widest))
                for begin in range(0, len(points), step):
                    part = slice(begin, begin + step)
                    z, bound = self._evaluate(number, rows, points[part], errors[part, None])
                    positive[part], negative[part] = z > bound, z < -bound
        return positive, negative

    def _evaluate(self, number: int, rows: np.ndarray, points: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pre-activations of these rows of layer `number` at points, (points, rows), and bounds of their errors."""
        a, tau = points, points[:, -1:]
        error = np.repeat(errors, points.shape[1], axis=1)
        for layer in range(number + 1):
            if layer:
                a = np.hstack([a, tau])
                error = np.hstack([error, errors])
            weights, size = self._layers.pair(layer)[0], np.abs(a)
            if layer == number:
                weights = weights[rows]
            z = np.asarray((weights @ a.T).T)
            factor = gamma(weights.shape[1] + 8) if weights.shape[1] < _LARGEST_WIDTH else np.inf
            bound = np.asarray((abs(weights) @ (error * (1 + 8 * UNIT_ROUNDOFF) + size * factor).T).T)
            total = size.sum(axis=1, keepdims=True)
            bound = bound * UPWARDS**2 + _UNDERFLOW * (1 + total + error.sum(axis=1, keepdims=True))
            # No weight exceeds 1, so nothing has overflowed where the inputs are small.
            bound = np.where(total < _LARGEST, bound, np.inf)
            if layer == number:
                break
            # A neuron that is proved negative is 0 after its relu, exactly.
            rectified = self._layers.layers.layers[layer].rectified
            error = np.where(rectified & (z < -bound), 0.0, bound)
            a = np.where(rectified & ~(z > 0), 0.0, z)
        return z, bound
