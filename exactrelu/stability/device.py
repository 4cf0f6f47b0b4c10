"""Singular value decompositions by PyTorch on a device: proposals only, nothing that is computed here is trusted.

Every proved bound is computed afterwards from the factors in float64 on the processor, where the arithmetic that the proofs assume is
probed (`exact/spectrum.py`). TF32 and reduced-precision sums are switched off while a device works, so that what it proposes is as good as
its type.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from exactrelu.errors import ExactReluError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Precision = Literal["float64", "float32"]
Factors = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Device:
    """A device of PyTorch and the type it computes in.

    >>> Device.named("cpu").decomposition(np.diag([3.0, 4.0]))[1].tolist()
    [4.0, 3.0]
    """

    name: str
    precision: Precision

    @staticmethod
    def named(name: str, precision: str = "float64") -> Device:
        """Raise InvalidRequestError where PyTorch or the device is missing, or the type is another."""
        if precision not in {"float64", "float32"}:
            raise InvalidRequestError(f"singular values are computed in float64 or float32, not in {precision[:40]!r}")
        if name != "cpu" and name.partition(":")[0] != "cuda":
            raise InvalidRequestError(f"there is no device {name[:40]!r} here; give cpu or cuda")
        try:
            import torch
        except ImportError:
            raise InvalidRequestError("stability needs PyTorch, which is not installed; install exactrelu[torch]") from None
        if name != "cpu":
            _check_cuda(torch, name)
        return Device(name, "float64" if precision == "float64" else "float32")

    @property
    def epsilon(self) -> float:
        """The spacing of its numbers at 1, from which default tolerances are made."""
        return float(np.finfo(self.precision).eps)

    def decomposition(self, matrix: np.ndarray) -> Factors:
        """(U, s, V^T) of one float64 matrix (m, n): U (m, r), s (r,), V^T (r, n), r = min(m, n)."""
        return self.decompositions([matrix])[0]

    def decompositions(self, matrices: Sequence[np.ndarray]) -> list[Factors]:
        """As `decomposition`, of many: those of one shape are one batch, on the processor one after the other, as PyTorch does anyway."""
        groups: dict[object, list[int]] = {}
        for place, matrix in enumerate(matrices):
            groups.setdefault(place if self.name == "cpu" else matrix.shape, []).append(place)
        found: dict[int, Factors] = {}
        for places in groups.values():
            several = [matrices[place] for place in places]
            found |= zip(places, self._batch(np.stack(several) if len(several) > 1 else several[0][None]), strict=True)
        return [found[place] for place in range(len(matrices))]

    def eigenvectors(self, symmetric: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(values, largest first, vectors as columns) of a symmetric float64 matrix (n, n).

        On the processor by NumPy, whose LAPACK takes half of the time of PyTorch's.
        """
        import torch

        try:
            if self.name == "cpu" and self.precision == "float64":
                values, vectors = np.linalg.eigh(symmetric)
            else:
                with _full_precision(torch):
                    parts = torch.linalg.eigh(torch.from_numpy(symmetric).to(device=self.name, dtype=getattr(torch, self.precision)))
                    values, vectors = (part.to(device="cpu", dtype=torch.float64).numpy() for part in parts)
        except (RuntimeError, np.linalg.LinAlgError) as error:
            raise self._failed("eigh", f"{len(symmetric)} rows", error) from None
        return values[::-1].copy(), np.ascontiguousarray(vectors[:, ::-1])

    def _failed(self, function: str, shape: str, error: Exception) -> ExactReluError:
        return ExactReluError(f"{function} failed on {self.name} for {shape}: {str(error).split('.')[0][:100]}; try --device cpu")

    def _batch(self, stacked: np.ndarray) -> list[Factors]:
        import torch

        count, m, n = stacked.shape
        if not stacked.size:
            return [(np.zeros((m, 0)), np.zeros(0), np.zeros((0, n)))] * count
        try:
            with _full_precision(torch):
                given = torch.from_numpy(stacked).to(device=self.name, dtype=getattr(torch, self.precision))
                parts = torch.linalg.svd(given, full_matrices=False)
                u, s, vt = (part.to(device="cpu", dtype=torch.float64).numpy() for part in parts)
        except RuntimeError as error:
            raise self._failed("svd", f"{count} x {m} x {n}", error) from None
        return list(zip(u, s, vt, strict=True))

    def numeric_rank(self, singular_values: np.ndarray, shape: tuple[int, int]) -> int:
        """What `numpy.linalg.matrix_rank` and `torch.linalg.matrix_rank` make of them: how many exceed eps max(m, n) times the largest."""
        if not len(singular_values):
            return 0
        return int((singular_values > self.epsilon * max(shape) * singular_values[0]).sum())


def _check_cuda(torch: Any, name: str) -> None:
    number = name.partition(":")[2]
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count or (number and not (number.isdigit() and int(number) < count)):
        raise InvalidRequestError(f"there is no device {name[:40]!r}: PyTorch sees {count} CUDA devices here; leave --device out")


@contextmanager
def _full_precision(torch: Any) -> Iterator[None]:
    """Without TF32 and without sums in reduced precision."""
    settings = [(torch.backends.cuda.matmul, "allow_tf32"), (torch.backends.cudnn, "allow_tf32")]
    before = [getattr(place, word) for place, word in settings]
    try:
        for place, word in settings:
            setattr(place, word, False)
        yield
    finally:
        for (place, word), value in zip(settings, before, strict=True):
            setattr(place, word, value)
