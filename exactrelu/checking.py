"""One or both checkers over the same certificates; where both run, a certificate is valid only if both say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exactrelu.check import CheckResult, Report, check

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from exactrelu.network.model import Network


def check_with(checkers: Sequence[str], paths: Iterable[str | os.PathLike[str]], model: Network | None = None) -> Report:
    """Check with the checkers named (`fast`, `stdlib`); with a model its exact network is derived again and compared.

    >>> check_with(["stdlib", "fast"], []).exit_code
    2
    """
    against = None
    if model is not None:
        from exactrelu.network.exact_file import network_sha256

        against = network_sha256(model)
    given = list(paths)
    reports = []
    for name in checkers:
        kernels = None
        if name == "fast":
            from exactrelu.check_fast import FastKernels

            kernels = FastKernels()
        reports.append(check(given, against_sha256=against, kernels=kernels))
    first, *others = reports
    results = tuple(_joined(checkers, same) for same in zip(*(report.results for report in reports), strict=True))
    return Report(results, first.ignored, tuple(dict.fromkeys(problem for report in [first, *others] for problem in report.problems)))


def _joined(checkers: Sequence[str], same: Sequence[CheckResult]) -> CheckResult:
    """The verdict of several checkers on one certificate."""
    if len({result.valid for result in same}) == 1:
        return same[0]
    refusal = next((name, result) for name, result in zip(checkers, same, strict=True) if not result.valid)
    return CheckResult(refusal[1].file, False, "", f"the checkers disagree; the {refusal[0]} one says: {refusal[1].reason}")
