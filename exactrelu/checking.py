"""One or both checkers over the same certificates; where both run, a certificate is valid only if both say so."""

from __future__ import annotations

import contextlib
from itertools import chain
from typing import TYPE_CHECKING

from exactrelu.check import CheckResult, Report, check
from exactrelu.errors import UnsupportedModelError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from exactrelu.network.model import Network


def check_with(checkers: Sequence[str], paths: Iterable[str | os.PathLike[str]], model: Network | None = None) -> Report:
    """Check with the checkers named (`fast`, `stdlib`); with a model its exact network, and those of its layers, are derived again.

    >>> check_with(["stdlib", "fast"], []).exit_code
    2
    """
    against = None if model is None else ModelHashes(model)
    given = list(paths)
    reports = []
    for name in checkers:
        kernels = None
        if name == "fast":
            from exactrelu.fast_checker import FastKernels

            kernels = FastKernels()
        reports.append(check(given, against_sha256=against, kernels=kernels))
    first, *others = reports
    results = tuple(_joined(checkers, same) for same in zip(*(report.results for report in reports), strict=True))
    return Report(results, first.ignored, tuple(dict.fromkeys(problem for report in [first, *others] for problem in report.problems)))


class ModelHashes:
    """The SHA-256 of the networks that a certificate of a model may name: the whole one, then its layers, each when it is needed."""

    def __init__(self, model: Network) -> None:
        self._known: set[str] = set()
        self._next = self._computed(model)

    @staticmethod
    def _computed(model: Network) -> Iterator[str]:
        from exactrelu.network.exact_file import network_sha256

        for network in chain([model], model.layer_networks()):
            # what no file can hold has no certificate
            with contextlib.suppress(UnsupportedModelError):
                yield network_sha256(network)

    def __contains__(self, sha256: object) -> bool:
        while sha256 not in self._known:
            following = next(self._next, None)
            if following is None:
                return False
            self._known.add(following)
        return True


def _joined(checkers: Sequence[str], same: Sequence[CheckResult]) -> CheckResult:
    """The verdict of several checkers on one certificate."""
    if len({result.valid for result in same}) == 1:
        return same[0]
    refusal = next((name, result) for name, result in zip(checkers, same, strict=True) if not result.valid)
    return CheckResult(refusal[1].file, False, "", f"the checkers disagree; the {refusal[0]} one says: {refusal[1].reason}")
