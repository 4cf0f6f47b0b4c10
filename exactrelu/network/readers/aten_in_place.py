"""In-place calls of an exported program made pure: what they change is read under its new name from then on.

Names share a *memory* where writing to one may change the other, and are *one tensor* where they always hold the same values. After an
in-place call all names of that one tensor see the call's result; other names of the memory, views, are not to be read again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exactrelu.errors import InvalidFileError, UnsupportedModelError
from exactrelu.network.lowering import shown
from exactrelu.network.readers.pt2_archive import Value

if TYPE_CHECKING:
    from collections.abc import Container

    from exactrelu.network.readers.pt2_archive import Program

_MOST_NODES = 2**13
# Operators whose results may share memory with what they read.
_VIEWS = {
    "_to_copy", "_unsafe_view", "alias", "alpha_dropout", "chunk", "contiguous", "detach", "dropout", "expand", "feature_alpha_dropout",
    "feature_dropout", "flatten", "lift_fresh", "native_dropout", "permute", "reshape", "select", "slice", "split", "split_with_sizes",
    "squeeze", "t", "to", "transpose", "unflatten", "unsqueeze", "view",
}  # fmt: skip
_CHANGES_NOTHING = {"detach_"}


def pure(program: Program, known: Container[str]) -> Program:
    """The same program where every read names the value that it sees; `known` operators that are no views make new memory.

    Raises UnsupportedModelError where that cannot be told, InvalidFileError where a name is given twice.
    """
    if len(program.nodes) > _MOST_NODES:
        raise UnsupportedModelError(f"the program has {len(program.nodes)} calls; the limit is {_MOST_NODES}")
    names = _Names(tuple(program.constants), program.input)
    nodes = []
    for node in program.nodes:
        label, operator, reads = f"operator {shown(node.target)} (node {shown(node.name)})", operator_of(node.target), node.reads()
        for name in reads:
            names.check(name, label)
        if node.arguments.get("training") == 1 or node.target.endswith("out") or operator.startswith("_foreach"):
            raise UnsupportedModelError(f"{label} is in training mode or changes several tensors; export the module after eval()")
        nodes.append(replace(node, arguments={key: _renamed(value, names.seen) for key, value in node.arguments.items()}))
        for name in filter(None, node.outputs):
            names.add(name, label)
        if operator.endswith("_") and not operator.startswith("__"):
            if len(node.outputs) != 1 or not node.outputs[0] or not reads or reads[0] not in names.group:
                raise UnsupportedModelError(f"{label} is not supported; what it changes cannot be told")
            names.change(reads[0], node.outputs[0], label, renewed=operator not in _CHANGES_NOTHING)
        elif operator in _VIEWS or operator not in known:
            names.merge([name for name in (*reads, *node.outputs) if name in names.group])
    names.check(program.output, "the program's end")
    return replace(program, nodes=tuple(nodes), output=names.seen.get(program.output, program.output))


def operator_of(target: str) -> str:
    """The operator's name without namespace and overload.

    >>> operator_of("aten.relu_.default")
    'relu_'
    """
    return target.split(".")[1] if target.count(".") == 2 else target


class _Names:
    """For every name the memory it lies in, the names of the same tensor, the value it now sees, and what has changed its memory."""

    def __init__(self, weights: tuple[str, ...], given: str) -> None:
        names = (*weights, given)
        self.group: dict[str, int] = {name: i for i, name in enumerate(names)}
        # A memory keeps the smallest number of those it was merged from, so one with a weight is known by it.
        self._weights = len(weights)
        self.seen: dict[str, str] = {name: name for name in names}
        self._members = {i: [name] for i, name in enumerate(names)}
        self._same = {name: [name] for name in names}
        self._changed: dict[str, str] = {}

    def add(self, name: str, label: str) -> None:
        # Names with a space are those of operations that a translation adds.
        if name in self.seen or " " in name:
            raise InvalidFileError(f"{label} computes {shown(name)}, which has a value already or is no name; export the model again")
        number = len(self._members)
        self.group[name], self._members[number], self._same[name], self.seen[name] = number, [name], [name], name

    def check(self, name: str, label: str) -> None:
        if name in self._changed:
            raise UnsupportedModelError(f"{label} reads {shown(name)} after {self._changed[name]} has changed its memory; clone it before")

    def merge(self, names: list[str]) -> None:
        """Let the names' memories be one."""
        kept, *others = sorted({self.group[name] for name in names}) or [0]
        for number in others:
            for name in self._members[number]:
                self.group[name] = kept
            self._members[kept] += self._members[number]
            self._members[number] = []

    def change(self, changed: str, result: str, label: str, *, renewed: bool) -> None:
        """Let `result` be another name of the tensor `changed`, and what its names see if it was renewed."""
        if renewed:
            if self.group[changed] < self._weights:
                raise UnsupportedModelError(f"{label} changes a weight or buffer of the module in place; export it for inference")
            same = self._same[changed]
            for name in self._members[self.group[changed]]:
                if name not in same:
                    self._changed[name] = label
            for name in same:
                self.seen[name] = result
        self.merge([changed, result])
        self._same[changed].append(result)
        self._same[result] = self._same[changed]


def _renamed(value: Any, seen: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(one, seen) for one in value]
    return Value(seen.get(value.name, value.name)) if isinstance(value, Value) else value
