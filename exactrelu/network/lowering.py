"""From the operators of a model to one sequence of affine maps with marked coordinates.

The *state* is the vector of coordinates after the layers closed so far, and every tensor is an exact affine function of it. An affine
operator opens a source layer; constants added, factors and reshapes join it; an activation, a second reader or an operator that
joins tensors closes it. A closed layer's outputs become the new state, with, unrectified, the old coordinates that other tensors still
read. Before a layer opens, its input tensor is made to be coordinates of the state, so that products of weights never arise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import UnsupportedModelError
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.model import MAXIMAL_DEPTH, Layer, Network, SetAside, Source, SourceLayer
from exactrelu.network.rows import Rows, check_entries, check_sparse, linear, relu

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from exactrelu.exact.rational import DyadicMatrix
    from exactrelu.network.rows import Stages

_MOST_STORED = 2**27
_MOST_WORK = 2**30


@dataclass(eq=False)
class _OpenLayer:
    """A source layer that is not closed yet: rows over its own input, which lies at the coordinates `reads` of the state."""

    name: str
    reads: np.ndarray
    rows: Rows


@dataclass(eq=False)
class Tensor:
    """A tensor of the model, row-major: rows over the state, or the layer whose end it is while that is open."""

    shape: tuple[int, ...]
    _rows: Rows | None
    _open: _OpenLayer | None = None


class Lowering:
    """Builds a network from operators on tensors, given in the order of evaluation.

    Whoever calls it keeps the tensors that will be read again (`keep`, `drop`); what is not kept is not carried on. A tensor that
    has more than one reader must be settled (`settle`) before the first. Raises UnsupportedModelError beyond the limits of size.

    >>> lowering = Lowering(2)
    >>> hidden = lowering.activate("relu", lowering.input((2,)), relu)
    >>> [layer.name for layer in lowering.network(hidden, (), (2,)).source_layers]
    ['relu']
    """

    def __init__(self, inputs: int) -> None:
        check_sparse("the input", inputs, inputs)
        self._width = inputs
        self._layers: list[Layer] = []
        self._sources: list[SourceLayer] = []
        self._names: set[str] = set()
        self._kept: list[Tensor] = []
        self._stored = 0
        self._work = 0

    # ------------------------------------------------------------ tensors

    def input(self, shape: tuple[int, ...]) -> Tensor:
        """The network's input; asked for once, before all else."""
        return Tensor(shape, Rows.identity(self._width))

    def keep(self, tensor: Tensor) -> None:
        self._kept.append(tensor)

    def drop(self, tensor: Tensor) -> None:
        self._kept = [other for other in self._kept if other is not tensor]

    def settle(self, tensor: Tensor) -> None:
        """Close the layer that ends in the tensor, if one is open."""
        self._settle(tensor, ())

    def joined(self, tensors: Sequence[Tensor], shape: tuple[int, ...], make: Callable[[list[Rows]], Rows]) -> Tensor:
        """The tensor that `make` computes from the tensors' rows over the state: a sum, a selection, a concatenation."""
        for tensor in tensors:
            self._settle(tensor, tensors)
        return self._checked(Tensor(shape, make([_rows(tensor) for tensor in tensors])))

    # ------------------------------------------------------------ layers

    def affine(self, name: str, tensor: Tensor, shape: tuple[int, ...], rows: Rows) -> Tensor:
        """Open a layer with rows over the coordinates of the tensor."""
        n = rows.weight.shape[1]
        opened = self._opened(name, tensor)
        if n != len(opened.rows):
            raise UnsupportedModelError(
                f"{shown(name)} takes {n} inputs but {len(opened.rows)} values reach it; its shapes do not fit the model's input"
            )
        return self._checked(Tensor(shape, None, _OpenLayer(name, opened.reads, rows)))

    def elementwise(self, name: str, tensor: Tensor, shape: tuple[int, ...], change: Callable[[Rows], Rows]) -> Tensor:
        """Change the rows of the tensor's layer, opening one where none is open."""
        layer = tensor._open or self._opened(name, tensor)
        return self._checked(Tensor(shape, None, _OpenLayer(layer.name, layer.reads, change(layer.rows))))

    def rearranged(self, tensor: Tensor, shape: tuple[int, ...], order: np.ndarray | None = None) -> Tensor:
        """The same coordinates in another order (None: the same) and shape; an open layer stays open."""

        def change(rows: Rows) -> Rows:
            return rows if order is None else rows.rows(order)

        if tensor._open is not None:
            return self.elementwise("", tensor, shape, change)
        return self._checked(Tensor(shape, change(_rows(tensor))))

    def activate(
        self,
        name: str,
        tensor: Tensor,
        activation: Callable[[Rows], Stages],
        shape: tuple[int, ...] | None = None,
        set_aside: SetAside | None = None,
    ) -> Tensor:
        """Close the tensor's layer with an activation; where none is open, the activation is a layer of its own.

        `set_aside` says that the activation is strictly increasing, or stands for one that is `linear` here.
        """
        result = Tensor(tensor.shape if shape is None else shape, None, tensor._open or self._opened(name, tensor))
        self._close(result, activation, (), set_aside)
        return self._checked(result)

    def network(self, output: Tensor, sources: Iterable[Source], input_shape: tuple[int, ...], assumes: Iterable[str] = ()) -> Network:
        """The network that ends in the tensor."""
        self._kept = []
        self.settle(output)
        if not _same(_rows(output).units(), self._width):
            self._append(_rows(output), np.zeros(len(_rows(output)), dtype=bool), None, ())
        # Without a source layer there is nothing to ask about, which the network says.
        layers = tuple(self._layers) if self._sources else ()
        return Network(layers, tuple(self._sources), tuple(sources), input_shape, tuple(assumes))

    # ------------------------------------------------------------ the state

    def _opened(self, name: str, tensor: Tensor) -> _OpenLayer:
        """A new layer that is the identity of the tensor, whose coordinates are made coordinates of the state."""
        self._settle(tensor, ())
        rows = _rows(tensor)
        units = rows.units()
        if units is None or np.bincount(units).max(initial=0) > 1:
            others = self._others(tensor, ())
            self._append(rows, np.zeros(len(rows), dtype=bool), None, others)
            units = np.arange(len(rows))
            tensor._rows = Rows.selection(units, self._width)
        return _OpenLayer(name, units, Rows.identity(len(units)))

    def _settle(self, tensor: Tensor, operands: Sequence[Tensor]) -> None:
        if tensor._open is not None:
            self._close(tensor, linear, operands)

    def _close(
        self, tensor: Tensor, activation: Callable[[Rows], Stages], operands: Sequence[Tensor], set_aside: SetAside | None = None
    ) -> None:
        layer = tensor._open
        assert layer is not None
        depth, others = len(self._layers), self._others(tensor, operands)
        stages = activation(layer.rows)
        own, whole = [], True
        for position, (rows, mask) in enumerate(stages):
            reads = layer.reads if position == 0 else np.arange(rows.weight.shape[1])
            made = rows.layer(mask)
            own.append(made)
            if _same(reads, self._width):
                whole &= self._append(rows, mask, made, others)
            else:
                self._append(rows.moved(reads, self._width), mask, None, others)
                whole = False
            if not whole and isinstance(made.stored, SparseMatrix):
                self._count(made.stored.entries)
        number = len(self._sources) + 1
        select = None if whole else layer.reads
        affine = None
        if set_aside is not None:
            affine = own[0] if activation is linear else layer.rows.layer(np.zeros(len(layer.rows), dtype=bool))
        self._sources.append(SourceLayer(number, self._unique(layer.name), tuple(own), depth, select, affine=affine, set_aside=set_aside))
        tensor._open = None
        tensor._rows = Rows.selection(np.arange(len(stages[-1][0])), self._width)

    def _others(self, tensor: Tensor, operands: Sequence[Tensor]) -> list[Tensor]:
        """The tensors to carry on while `tensor` becomes part of the state."""
        found = {id(other): other for other in (*self._kept, *operands)}
        found.pop(id(tensor), None)
        return list(found.values())

    def _append(self, rows: Rows, mask: np.ndarray, made: Layer | None, others: Sequence[Tensor]) -> bool:
        """Append a step with these rows and what the other tensors read; returns whether that is the layer `made`."""
        carried = self._read_by(others)
        self._spend(rows.weight.entries + self._width + sum(math.prod(other.shape) for other in others))
        width = len(rows) + len(carried)
        check_sparse(f"layer {len(self._layers) + 1}", width, 0 if rows.is_dense else rows.weight.entries)
        if len(self._layers) >= MAXIMAL_DEPTH:
            raise UnsupportedModelError(f"the model has more than {MAXIMAL_DEPTH} layers; the limit is {MAXIMAL_DEPTH}")
        if len(carried):
            rows = Rows.stacked([rows, Rows.selection(carried, self._width)])
            mask = np.concatenate([mask, np.zeros(len(carried), dtype=bool)])
        layer = made if made is not None and not len(carried) else rows.layer(mask)
        if isinstance(layer.stored, SparseMatrix):
            self._count(layer.stored.entries)
        places = np.zeros(self._width, dtype=np.int64)
        places[carried] = np.arange(len(rows) - len(carried), len(rows))
        for other in others:
            if other._open is not None:
                other._open.reads = places[other._open.reads]
            else:
                other._rows = _rows(other).moved(places, width)
        self._layers.append(layer)
        self._width = width
        return layer is made

    def _read_by(self, tensors: Sequence[Tensor]) -> np.ndarray:
        read = np.zeros(self._width, dtype=bool)
        for tensor in tensors:
            read[tensor._open.reads if tensor._open is not None else _rows(tensor).weight.used_columns] = True
        return np.flatnonzero(read)

    def _count(self, stored: int) -> None:
        self._stored += stored
        if self._stored > _MOST_STORED:
            raise UnsupportedModelError(f"the model needs more than {_MOST_STORED} weights in exact form, which is the limit")

    def _checked(self, tensor: Tensor) -> Tensor:
        rows = tensor._rows if tensor._open is None else tensor._open.rows
        assert rows is not None
        if not rows.is_dense:
            check_sparse("a tensor", len(rows), rows.weight.entries)
        self._spend(len(rows) + rows.weight.entries)
        return tensor

    def _spend(self, numbers: int) -> None:
        """Bound the time that a hostile model can take."""
        self._work += numbers
        if self._work > _MOST_WORK:
            raise UnsupportedModelError(f"the model's tensors have more than {_MOST_WORK} weights in all, which is the limit")

    def _unique(self, name: str) -> str:
        name = name if name.isprintable() else name.encode("unicode_escape").decode("ascii")
        candidate, count = name, 1
        while candidate in self._names:
            count += 1
            candidate = f"{name}_{count}"
        self._names.add(candidate)
        return candidate


def _rows(tensor: Tensor) -> Rows:
    assert tensor._rows is not None
    return tensor._rows


def _same(columns: np.ndarray | None, width: int) -> bool:
    """Whether the columns are 0, 1, .., width - 1."""
    return columns is not None and len(columns) == width and bool((columns == np.arange(width)).all())


class DenseChain:
    """A network from affine operators and relus that follow one another.

    Raises UnsupportedModelError where widths do not chain or a matrix would exceed 2^28 entries.

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> chain = DenseChain(2)
    >>> chain.affine("first", DyadicMatrix.from_floats([[1.0, 2.0]]))
    >>> chain.relu("relu")
    >>> [(layer.name, layer.rectified) for layer in chain.network((), (2,)).source_layers]
    [('first', 1)]
    """

    def __init__(self, inputs: int) -> None:
        self._lowering = Lowering(inputs)
        self._current = self._lowering.input((inputs,))

    def affine(self, name: str, weight: DyadicMatrix, bias: DyadicMatrix | None = None) -> None:
        """Append z = W x + b: W of shape (m, n), b of shape (m, 1) or None for zero."""
        m, n = weight.shape
        check_entries(shown(name), m, n)
        column = SparseMatrix.zeros(m, 1) if bias is None else SparseMatrix.from_dense(bias)
        self._current = self._lowering.affine(name, self._current, (m,), Rows(SparseMatrix.from_dense(weight), column))

    def relu(self, name: str) -> None:
        """Append a relu of all coordinates."""
        self._current = self._lowering.activate(name, self._current, relu)

    def network(self, sources: Iterable[Source], input_shape: tuple[int, ...], assumes: Iterable[str] = ()) -> Network:
        """The network of the operators given so far."""
        return self._lowering.network(self._current, sources, input_shape, assumes)


def shown(name: str) -> str:
    """A name from a file as it stands in a one-line message."""
    return repr(name if len(name) <= 80 else name[:77] + "...")
