"""A live PyTorch module: a chain of dense layers is read as it stands, any other module through torch.export.

A chain is Sequential, Linear, ReLU, Flatten, Identity and Dropout. Its modules are recognised by their exact type, since a subclass may
compute anything, and without a hook or a replaced `forward`, which change what they compute. Dropout counts as it does at inference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidRequestError, UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix, exact_float64
from exactrelu.network.lowering import DenseChain, shown
from exactrelu.network.readers import from_bfloat16

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

    from exactrelu.network.model import Network

_REMEDY = "give input_shape, such as (1, 3, 32, 32), so that torch.export can trace the model, or export it to .onnx or .pt2"


def from_torch(module: torch.nn.Module, *, input_shape: Sequence[int] | None = None) -> Network:
    """Take a module, in float16, bfloat16, float32 or float64 on any device, as an exact network; the module is not changed.

    A chain of dense layers needs no more. Any other module needs `input_shape`, the shape of an example input with the batch first, and
    is traced (see `from_torch_export`).

    Raises UnsupportedModelError naming the class and the name of a module that is no part of a chain, or the operator that is not
    supported, InvalidNumberError for weights that are not finite and InvalidRequestError for what is no module.

    >>> from_torch("model")
    Traceback (most recent call last):
    exactrelu.errors.InvalidRequestError: 'model' (str) is no model; give a path or a torch.nn.Module
    """
    if not _is_module(module):
        raise InvalidRequestError(f"{shown(str(module))} ({type(module).__name__}) is no model; give a path or a torch.nn.Module")
    if input_shape is not None:
        from exactrelu.network.readers.from_torch_export import from_torch_export

        return from_torch_export(module, input_shape)
    from torch import nn

    leaves = list(_leaves(module, ""))
    first = next((leaf for _, leaf in leaves if type(leaf) is nn.Linear), None)
    if first is None:
        raise UnsupportedModelError(f"the module holds no Linear layer, so the size of its input is not known; {_REMEDY}")
    inputs = int(first.weight.shape[1])
    chain = DenseChain(inputs)
    for name, leaf in leaves:
        if type(leaf) is nn.Linear:
            weight = _matrix(leaf.weight, f"{name}.weight")
            bias = None if leaf.bias is None else _matrix(leaf.bias.reshape(-1, 1), f"{name}.bias")
            chain.affine(name, weight, bias)
        elif type(leaf) is nn.ReLU:
            chain.relu(name)
        elif type(leaf) is nn.Flatten and (leaf.start_dim, leaf.end_dim) != (1, -1):
            raise UnsupportedModelError(
                f"Flatten {shown(name)} has start_dim {leaf.start_dim} and end_dim {leaf.end_dim}; a chain has 1 and -1; {_REMEDY}"
            )
    return chain.network((), (inputs,))


def _is_module(value: object) -> bool:
    try:
        from torch.nn import Module
    except ImportError:
        return False
    return isinstance(value, Module)


def _leaves(module: torch.nn.Module, name: str) -> Iterator[tuple[str, torch.nn.Module]]:
    """The modules of a nested Sequential in the order in which they are called; a module that stands twice comes twice."""
    from torch import nn

    kind = type(module)
    label = name or kind.__name__.lower()
    if kind not in {nn.Sequential, nn.Linear, nn.ReLU, nn.Flatten, nn.Identity, nn.Dropout}:
        raise UnsupportedModelError(
            f"module {shown(label)} of class {kind.__module__}.{kind.__qualname__} is no part of a dense chain; {_REMEDY}"
        )
    if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
        raise UnsupportedModelError(
            f"module {shown(label)} of class {kind.__name__} has a hook or its own forward; remove it, or {_REMEDY}"
        )
    if kind is not nn.Sequential:
        yield label, module
        return
    for child, inner in module._modules.items():
        if inner is not None:
            yield from _leaves(inner, f"{name}.{child}" if name else child)


def _matrix(tensor: Any, name: str) -> DyadicMatrix:
    """A tensor (m, n) exactly; its bits leave PyTorch as they are, so that no setting of PyTorch takes part."""
    import torch

    dense = tensor.layout is torch.strided and not tensor.is_meta and tensor.ndim == 2
    if not dense or tensor.dtype not in {torch.float16, torch.bfloat16, torch.float32, torch.float64}:
        raise UnsupportedModelError(
            f"the tensor {shown(name)} has type {tensor.dtype} and shape {tuple(tensor.shape)} on {tensor.device}; "
            "dense float16, bfloat16, float32 and float64 weights of shape (m, n) are supported"
        )
    values = tensor.detach().cpu().contiguous()
    bits = tensor.dtype is torch.bfloat16
    array = from_bfloat16(values.view(torch.int16).numpy().view(np.uint16)) if bits else values.numpy()
    return DyadicMatrix(exact_float64(array, name=f"the tensor {shown(name)}"))
