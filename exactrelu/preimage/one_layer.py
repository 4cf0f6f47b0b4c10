"""Which decider a layer needs: its weights as a dense matrix, or, for large convolutions, ranks of sparse ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exactrelu.exact.sparse import SparseMatrix
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.preimage.sparse_layer import SparseLayerPreimage

if TYPE_CHECKING:
    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer

OneLayerPreimage = LayerPreimage | SparseLayerPreimage

# Below so many entries the dense matrix is prepared in milliseconds.
LARGE = 2**20


def prepare_layer(layer: Layer, domain: Domain, *, rational: bool = False) -> OneLayerPreimage:
    """What decides pre-images under one lowered layer, within a set of its inputs.

    >>> import numpy as np
    >>> from exactrelu import AllSpace, DyadicMatrix, Layer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    >>> type(prepare_layer(layer, AllSpace())).__name__
    'LayerPreimage'
    """
    if isinstance(layer.stored, SparseMatrix) and layer.inputs * layer.outputs >= LARGE:
        return SparseLayerPreimage(layer, domain, rational=rational)
    return LayerPreimage(layer, domain, rational=rational)
