"""Programs of torch.export, from a `.pt2` file or from a live module, read as the function of one sample.

A program is a list of ATen calls. In-place calls are first made pure; each call on which the output depends is then translated into
ONNX's operators and read as they are.
"""

from __future__ import annotations

import copy
import io
import math
import warnings
from collections import Counter
from typing import TYPE_CHECKING

from exactrelu.errors import InvalidFileError, InvalidRequestError, UnsupportedModelError
from exactrelu.network.lowering import Lowering, shown
from exactrelu.network.model import MAXIMAL_WIDTH
from exactrelu.network.readers import read_file
from exactrelu.network.readers.aten_call import Call
from exactrelu.network.readers.aten_in_place import operator_of, pure
from exactrelu.network.readers.aten_operators import OPERATORS
from exactrelu.network.readers.onnx_step import Graph
from exactrelu.network.readers.onnx_tensors import Tensors
from exactrelu.network.readers.pt2_archive import read_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import torch

    from exactrelu.network.model import Network, Source
    from exactrelu.network.readers.pt2_archive import Node, Program

_OPSET = 22
_LARGEST = 2**62
_INTEGERS: dict[str, Callable[[int, int], int]] = {
    "_operator.add": lambda a, b: a + b,
    "_operator.floordiv": lambda a, b: a // b if b else -1,
    "_operator.mul": lambda a, b: a * b,
    "_operator.sub": lambda a, b: a - b,
}


def from_pt2(path: Path) -> Network:
    """Read a file of torch.export.save; PyTorch is neither needed nor used, and nothing in the file is unpickled (see `pt2_archive`).

    Raises InvalidFileError, UnsupportedModelError (naming operator and node) or InvalidNumberError.
    """
    data, source = read_file(path)
    return _network(read_program(data, str(path)), (source,))


def from_torch_export(module: torch.nn.Module, input_shape: Sequence[int]) -> Network:
    """Trace a module, as at inference, with an example input of that shape, the batch first; the module is not changed.

    The trace is a copy's: torch.export runs the module's own code on it, saves the program, and the saved bytes are read as a .pt2 file.
    Raises InvalidRequestError for a shape that is none, UnsupportedModelError where PyTorch cannot trace the module or an operator is not
    supported, InvalidNumberError.
    """
    import torch

    shape = _example_shape(input_shape)
    first = next((parameter for parameter in (*module.parameters(), *module.buffers()) if parameter.is_floating_point()), None)
    kind, device = (torch.float32, "cpu") if first is None else (first.dtype, first.device)
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.export.export(copy.deepcopy(module).eval(), (torch.zeros(shape, dtype=kind, device=device),))
            torch.export.save(program, buffer)
    except Exception as error:  # noqa: BLE001 - the module's own code runs here and may raise anything
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UnsupportedModelError(
            f"torch.export cannot trace the module for an input of shape {shape} ({shown(lines[0])}); "
            "check the shape, or export the model to .onnx"
        ) from None
    return _network(read_program(buffer.getvalue(), type(module).__name__), ())


def _example_shape(given: object) -> tuple[int, ...]:
    dims = given if isinstance(given, (list, tuple)) else ()
    shape = tuple(dim for dim in dims if type(dim) is int and dim >= 0)
    if not shape or len(shape) != len(dims) or math.prod(shape) > MAXIMAL_WIDTH:
        raise InvalidRequestError(f"input_shape {shown(str(given))} is no shape of an example input; give one such as (1, 3, 32, 32)")
    return shape


# ---------------------------------------------------------------- a program


def _network(program: Program, sources: Iterable[Source]) -> Network:
    batched = len(program.sizes) > 1
    sample = program.sizes[1:] if batched else program.sizes
    if not program.sizes or None in sample or any(size is not None and size < 0 for size in program.sizes):
        text = ", ".join("?" if size is None else str(size) for size in program.sizes)
        raise UnsupportedModelError(
            f"the program's input has shape ({text}); export it with every dimension but the first, the batch, fixed"
        )
    shape = tuple(size for size in sample if size is not None)
    batch = program.sizes[0] if batched else 1
    program = pure(program, OPERATORS)
    nodes = _needed(program)
    uses = Counter([program.output, *(name for node in nodes for name in node.reads())])
    tensors, lowering = Tensors(), Lowering(math.prod(shape))
    graph = Graph(tensors, lowering, _OPSET, max(1, batch or 1), uses, "torch.export")
    for name, array in program.constants.items():
        tensors.add_stored(name, array)
    graph.put(program.input, lowering.input((1, *shape) if batched else shape))
    integers: dict[str, int] = {}
    for node in nodes:
        _read(node, program, graph, integers, one_sample=batch == 1)
    if program.output not in graph.values:
        raise UnsupportedModelError(f"the program's output {shown(program.output)} does not depend on its input; export the model again")
    return lowering.network(graph.values[program.output], sources, shape, graph.assumes())


def _read(node: Node, program: Program, graph: Graph, integers: dict[str, int], *, one_sample: bool) -> None:
    """Translate and evaluate one call."""
    call = Call(node, program, graph, integers, one_sample=one_sample)
    for name in node.reads():
        if name not in graph.values and name not in graph.tensors and name not in integers:
            raise InvalidFileError(f"{call} reads {shown(name)}, which nothing before it computes; export the model again")
    if node.target == "aten.sym_size.int":
        x = call.tensor("self")
        size = call.shape(x)
        integers[node.outputs[0]] = size[call.axis(call.integer("dim"), len(size))]
        graph.read(x)
    elif node.target in _INTEGERS:
        first, second = (call.integer(name) for name in node.arguments) if len(node.arguments) == 2 else (0, 0)
        integers[node.outputs[0]] = max(-_LARGEST, min(_INTEGERS[node.target](first, second), _LARGEST))
    else:
        translate = OPERATORS.get(operator_of(node.target).removesuffix("_")) if node.target.startswith("aten.") else None
        if translate is None:
            raise UnsupportedModelError(f"{call} is not supported; supported of aten are {', '.join(sorted(OPERATORS))}")
        translate(call)
        call.check_read()


def _needed(program: Program) -> list[Node]:
    """The calls on which the output depends, in the program's order."""
    found: list[Node] = []
    wanted = {program.output}
    for node in reversed(program.nodes):
        if wanted.intersection(filter(None, node.outputs)):
            found.append(node)
            wanted.update(node.reads())
    return found[::-1]
