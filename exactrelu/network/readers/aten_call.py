"""One call in an exported PyTorch program as its translation sees it: arguments come in, operations in ONNX's terms go out.

An operation is evaluated as soon as it is emitted, so a translation may ask for the shape of whatever it has made. Numbers that a call
holds, such as a slope, are rounded to float32 unless the tensor is float64, as PyTorch's kernels do with them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import UnsupportedModelError
from exactrelu.network.lowering import shown
from exactrelu.network.readers.onnx_operators import run
from exactrelu.network.readers.onnx_step import Operation, Step
from exactrelu.network.readers.pt2_archive import Node, Program, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.network.readers.onnx_step import Graph

_DOUBLE = 8
# What says where and how a result is stored, not what it is.
_WITHOUT_EFFECT = {
    "copy", "cudnn_enabled", "device", "implicit", "layout", "memory_format", "momentum", "non_blocking", "pin_memory",
}  # fmt: skip


class Call:
    """A node of a program with the graph that its operations are put into; `integers` are the sizes computed so far."""

    def __init__(self, node: Node, program: Program, graph: Graph, integers: dict[str, int], *, one_sample: bool) -> None:
        self.node = node
        self.graph = graph
        # Whether the program itself is for one sample, so that its axes of length 1 are what they seem.
        self.one_sample = one_sample
        self._program = program
        self._integers = integers
        self._unread = set(node.arguments) - _WITHOUT_EFFECT
        self._made = 0
        kinds = {program.kinds.get(name) for name in (*node.outputs, *node.reads())}
        self._double = _DOUBLE in kinds

    def __str__(self) -> str:
        return f"operator {shown(self.node.target)} (node {shown(self.node.name)})"

    def refusal(self, what: str) -> UnsupportedModelError:
        return UnsupportedModelError(f"{self} {what}")

    def check_read(self) -> None:
        """Refuse the arguments that the translation did not look at."""
        for name in sorted(self._unread):
            if self.node.arguments[name] is not None:
                raise self.refusal(f"has the argument {shown(name)}, which is not supported")

    # ------------------------------------------------------------ what comes in

    def has(self, name: str) -> bool:
        """Whether an argument is given and is not None."""
        return self.node.arguments.get(name) is not None

    def argument(self, name: str, default: Any = None) -> Any:
        """An argument; sizes that were computed are integers by now."""
        self._unread.discard(name)
        value = self.node.arguments.get(name)
        if value is None:
            return default
        if isinstance(value, list):
            return [self._integer_or(one) for one in value]
        return self._integer_or(value)

    def _integer_or(self, value: Any) -> Any:
        return self._integers.get(value.name, value) if isinstance(value, Value) else value

    def tensor(self, name: str) -> str:
        """The name of an argument that is a tensor."""
        value = self.argument(name)
        if not isinstance(value, Value):
            raise self.refusal(f"has no tensor as its argument {shown(name)}")
        return value.name

    def tensors(self, name: str) -> list[str]:
        """The names of an argument that is a list of tensors."""
        values = self.argument(name)
        if not isinstance(values, list) or not all(isinstance(value, Value) for value in values):
            raise self.refusal(f"has no list of tensors as its argument {shown(name)}")
        return [value.name for value in values]

    def operand(self, name: str) -> str:
        """An argument that is a tensor or a number, as a tensor."""
        if isinstance(self.argument(name), Value):
            return self.tensor(name)
        return self.constant(np.array(self.number(name)))

    def number(self, name: str, default: float | None = None) -> float:
        """An argument that is a finite number, in the precision that the kernel gives it."""
        value = self.argument(name, default)
        if not isinstance(value, (int, float)) or not abs(value) < 2.0**1000:
            raise self.refusal(f"has no finite number as its argument {shown(name)}")
        with np.errstate(over="ignore"):
            single = float(np.float32(value))
        result = float(value) if self._double else single
        if not math.isfinite(result):
            raise self.refusal(f"has the argument {shown(name)} beyond the range of float32")
        return result

    def integer(self, name: str, default: int | None = None) -> int:
        """An argument that is an integer of 64 bits."""
        value = self.argument(name, default)
        if not _is_integer(value):
            raise self.refusal(f"has no integer as its argument {shown(name)}")
        return int(value)

    def integers(self, name: str, count: int | None = None, default: Sequence[int] | None = None) -> list[int]:
        """An argument that is a list of integers; where a count is asked for, a single one stands for so many."""
        values = self.argument(name, default)
        values = [values] if type(values) is int else values
        if not isinstance(values, (list, tuple)) or not all(map(_is_integer, values)) or len(values) > 64:
            raise self.refusal(f"has no list of integers as its argument {shown(name)}")
        return list(values) * count if count is not None and len(values) == 1 else list(values)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """An argument that is true or false."""
        value = self.argument(name, default)
        if not isinstance(value, (bool, int)):
            raise self.refusal(f"has no boolean as its argument {shown(name)}")
        return bool(value)

    # ------------------------------------------------------------ what is known of a tensor

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, with the batch axis at 1."""
        return self.graph.shape(name)

    def axis(self, value: int, rank: int) -> int:
        """An axis of a tensor of that rank, counted from the front."""
        if not -rank <= value < rank:
            raise self.refusal(f"has axis {value} for a tensor with {rank} axes")
        return value % rank

    def is_constant(self, name: str) -> bool:
        return name in self.graph.tensors

    def array(self, name: str) -> np.ndarray:
        """A tensor that has to be a constant."""
        if not self.is_constant(name):
            raise self.refusal(f"takes the activation {shown(name)} where only a constant is supported")
        return self.graph.tensors.stored(name)

    def module(self, parameter: str) -> str:
        """The name of the module that a parameter belongs to; for other tensors the node's name."""
        return self._program.parameters.get(parameter, "").rpartition(".")[0] or self.node.name

    # ------------------------------------------------------------ what goes out

    def constant(self, array: np.ndarray) -> str:
        """The name of a new constant."""
        name = self._fresh()
        self.graph.tensors.add_stored(name, array)
        return name

    def shaped(self, values: Sequence[int]) -> str:
        """The name of a new list of integers."""
        return self.constant(np.array(list(values), dtype=np.int64))

    def make(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Evaluate an operation on the way to the result; its result is read once."""
        name = self._fresh()
        self.graph.uses[name] = 1
        self._run(Operation(operator, self.node.name, inputs, (name,), attributes))
        return name

    def give(self, operator: str, *inputs: str, name: str | None = None, outputs: Sequence[str] | None = None, **attributes: Any) -> None:
        """Evaluate the operation whose results are the call's own."""
        made = tuple(self.node.outputs if outputs is None else outputs)
        self._run(Operation(operator, name or self.node.name, inputs, made, attributes))

    def first_output(self) -> list[str]:
        """The call's first output; the others, indices or statistics, must not be read."""
        first, *others = self.node.outputs
        if any(self.graph.uses[name] for name in others):
            raise self.refusal("has a second result that is read; only the first is supported")
        return [first]

    def give_constant(self, array: np.ndarray) -> None:
        """Let the call's result be a constant."""
        self.graph.put(self.node.outputs[0], array)

    def _run(self, operation: Operation) -> None:
        run(Step(operation, self.graph))

    def _fresh(self) -> str:
        # No result of a call has a space in its name (see aten_in_place).
        self._made += 1
        return f"{self.node.name} {self._made}"


def _is_integer(value: object) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63
