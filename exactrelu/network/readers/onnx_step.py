"""One node of a graph as its operator sees it: attributes, constants and tensors that come in, values that go out.

An `Operation` is a node in ONNX's terms, whichever format it was read from. An activation is a `Tensor` of the lowering; a constant is
a NumPy array. `Graph` is what all nodes share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidFileError, UnsupportedModelError
from exactrelu.exact.rational import exact_float64
from exactrelu.network.lowering import Tensor, shown
from exactrelu.network.model import MAXIMAL_WIDTH

if TYPE_CHECKING:
    from collections import Counter

    from exactrelu.network.lowering import Lowering
    from exactrelu.network.readers.onnx_tensors import Tensors

_NAMED = 6
_MOST_FOLDED = 2**24
_RESHAPING = {"Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}


@dataclass(frozen=True)
class Operation:
    """A node: its operator, its name, the names of its inputs and outputs ("" for one left out), its attributes as Python values."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.operator} node {shown(self.name)}"


@dataclass
class Graph:
    """What the nodes of a graph share: constants, activations by name, how often each will still be read, and what was rounded.

    `finished` names the values that lie behind an activation which is set aside, and that activation's node.
    """

    tensors: Tensors
    lowering: Lowering
    opset: int
    fixed_batch: int
    uses: Counter[str]
    file_format: str = "ONNX"
    values: dict[str, Tensor] = field(default_factory=dict)
    finished: dict[str, str] = field(default_factory=dict)
    _rounded: dict[str, list[str]] = field(default_factory=dict)
    _sentences: list[str] = field(default_factory=list)

    def put(self, name: str, value: Tensor | np.ndarray) -> None:
        """Take in a value under its name; one that nobody reads is forgotten."""
        if not name or not self.uses[name]:
            return
        if not isinstance(value, Tensor):
            # NumPy turns results without axes into scalars.
            self.tensors.add_array(name, np.asarray(value))
            return
        self.lowering.keep(value)
        if self.uses[name] > 1:
            self.lowering.settle(value)
        self.values[name] = value

    def read(self, name: str) -> None:
        """Count one reading of an activation; after the last it is no longer kept."""
        if name in self.values:
            self.uses[name] -= 1
            if not self.uses[name]:
                self.lowering.drop(self.values.pop(name))

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an activation or a constant."""
        return self.values[name].shape if name in self.values else self.tensors.shape(name)

    def note(self, what: str, name: str) -> None:
        """Record that a node rounded something; `what` says what, once for all nodes of its kind."""
        self._rounded.setdefault(what, []).append(name)

    def say(self, sentence: str) -> None:
        """Record a sentence about the whole model."""
        self._sentences.append(sentence)

    def assumes(self) -> list[str]:
        """What was rounded and what was set aside, as sentences."""
        sentences = []
        for what, names in self._rounded.items():
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            sentences.append(f"{what} (node{'s' * (len(names) > 1)} {', '.join(map(shown, names[:_NAMED]))}{more}).")
        return sentences + self._sentences


class Step:
    """A node with its inputs taken from the graph; activations that nobody reads after it are no longer kept."""

    def __init__(self, operation: Operation, graph: Graph) -> None:
        self.operation = operation
        self.graph = graph
        self.lowering = graph.lowering
        self.name = operation.name
        self._inputs: list[Tensor | str | None] = []
        self._behind = next((graph.finished[name] for name in operation.inputs if name in graph.finished), None)
        if self._behind is not None and operation.operator not in _RESHAPING:
            raise UnsupportedModelError(f"{self._behind} is supported at the end of a model only, and {self} reads its result")
        for name in operation.inputs:
            if not name:
                self._inputs.append(None)
            elif name in graph.values:
                self._inputs.append(graph.values[name])
            elif name in graph.tensors:
                self._inputs.append(name)
            else:
                raise InvalidFileError(f"{self} reads {shown(name)}, which nothing before it computes; export the model again")
        for name in operation.inputs:
            graph.read(name)

    def __str__(self) -> str:
        return str(self.operation)

    def __len__(self) -> int:
        return len(self._inputs)

    # ------------------------------------------------------------ what comes in

    def has(self, index: int) -> bool:
        return index < len(self._inputs) and self._inputs[index] is not None

    def is_constant(self, index: int) -> bool:
        return index < len(self._inputs) and isinstance(self._inputs[index], str)

    def tensor(self, index: int = 0) -> Tensor:
        """An input that has to be an activation."""
        value = self._inputs[index] if index < len(self._inputs) else None
        if isinstance(value, str):
            raise self.refusal("computes with constants alone in a way that is not supported; fold constants when exporting the model")
        if value is None:
            raise self.broken(f"has no input {index + 1}")
        return value

    def array(self, index: int) -> np.ndarray:
        """An input that has to be a constant, as it is stored."""
        value = self._inputs[index] if index < len(self._inputs) else None
        if value is None:
            raise self.broken(f"has no input {index + 1}")
        if not isinstance(value, str):
            raise self.refusal(f"has an activation as input {index + 1}, where only a constant is supported")
        return self.graph.tensors.stored(value)

    def floats(self, index: int) -> np.ndarray:
        """An input that has to be a constant of floats, as float64, exactly."""
        self.array(index)
        return self.graph.tensors.floats(str(self._inputs[index]))

    def integers(self, index: int) -> list[int]:
        """An input that has to be a short list of integers."""
        self.array(index)
        return self.graph.tensors.integers(str(self._inputs[index]))

    def number(self, index: int) -> float:
        """An input that has to be a constant with one entry."""
        array = self.floats(index)
        if array.size != 1:
            raise self.broken(f"has {array.size} numbers as input {index + 1} instead of one")
        return float(array.reshape(-1)[0])

    def attribute(self, name: str, default: Any) -> Any:
        """An attribute, of the type of the default."""
        value = self.operation.attributes.get(name, default)
        if not isinstance(value, type(default)):
            raise InvalidFileError(f"attribute {name} of {self} has the wrong type; the file breaks the {self.graph.file_format} format")
        return value

    def has_attribute(self, name: str) -> bool:
        return name in self.operation.attributes

    def integer_list(self, name: str) -> list[int]:
        """An attribute that is a list of integers; empty where it is not given."""
        values = self.attribute(name, [])
        if not all(type(value) is int for value in values) or len(values) > 64:
            raise self.broken(f"has as its attribute {name} no short list of integers")
        return list(values)

    def tensor_attribute(self, name: str, default: np.ndarray) -> np.ndarray:
        """An attribute that is a tensor."""
        if not self.has_attribute(name):
            return default
        return self.graph.tensors.attribute(f"{self.name}.{name}", self.operation.attributes[name])

    def finite(self, name: str, default: float) -> float:
        """An attribute that is a finite number."""
        value = float(self.attribute(name, default))
        if not math.isfinite(value):
            raise self.refusal(f"has {name} {value}; it must be finite")
        return value

    def axis(self, value: int, rank: int) -> int:
        """An axis of a tensor of that rank, counted from the front."""
        if not -rank <= value < rank:
            raise self.broken(f"has axis {value} for a tensor with {rank} axes")
        return value % rank

    def check_samples(self, *axes: int) -> None:
        """Refuse work along the batch axis where the model fixes a batch of several samples: it would mix them."""
        if 0 in axes and self.graph.fixed_batch > 1 and not all(self.is_constant(i) for i in range(len(self))):
            raise self.refusal(
                f"works along the batch axis, which is fixed at {self.graph.fixed_batch}; export the model with a batch of 1"
            )

    # ------------------------------------------------------------ what goes out

    def put(self, value: Tensor | np.ndarray, output: int = 0) -> None:
        if output < len(self.operation.outputs):
            name = self.operation.outputs[output]
            self.graph.put(name, value)
            if self._behind is not None:
                self.graph.finished[name] = self._behind

    def folded(self, array: np.ndarray) -> np.ndarray:
        """A computed float constant; it has to be one that float64 holds."""
        return exact_float64(array, name=f"the result of {self}")

    def finish(self) -> None:
        """Make the result the end of the model: behind it values are reshaped at most."""
        self.graph.finished[self.operation.outputs[0]] = str(self)

    def note(self, what: str) -> None:
        """Record that this node rounded something."""
        self.graph.note(what, self.name)

    def check_width(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Refuse a tensor that is too large, before it is made."""
        if any(dim < 0 for dim in shape) or math.prod(shape) > MAXIMAL_WIDTH:
            raise self.refusal(f"would compute a tensor of shape {shape[:8]}; the limit is {MAXIMAL_WIDTH} coordinates")
        return shape

    def check_folded(self, size: int) -> None:
        """Refuse a computed constant that is too large, before it is made."""
        if not 0 <= size <= _MOST_FOLDED:
            raise self.refusal(f"would compute a constant with {size} entries; the limit is {_MOST_FOLDED}")

    # ------------------------------------------------------------ what goes wrong

    def refusal(self, what: str) -> UnsupportedModelError:
        return UnsupportedModelError(f"{self} {what}")

    def broken(self, what: str) -> InvalidFileError:
        return InvalidFileError(f"{self} {what}; the file breaks the {self.graph.file_format} format")

    def misfit(self, constant: tuple[int, ...], tensor: tuple[int, ...]) -> UnsupportedModelError:
        return self.refusal(f"combines a constant of shape {constant} with an activation of shape {tensor} (one sample), which do not fit")
