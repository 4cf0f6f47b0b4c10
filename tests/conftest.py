"""What all tests share: Hypothesis profiles, the marker of nightly tests, files outside the repository, and a way to run a command."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable

# Some builds of PPL leave the processor rounding upwards once loaded. The package notices and takes the exact way, but the
# tests are about the float way too: load PPL first, then round to nearest again (FE_TONEAREST is 0 on x86 and ARM).
with contextlib.suppress(ImportError):
    import ppl  # noqa: F401

    ctypes.CDLL(None).fesetround(0)

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile("default", deadline=None, derandomize=False, suppress_health_check=_QUIET)
# What CI says depends on the code alone; other examples are tried by every run elsewhere, and by the nightly one in number.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.register_profile("nightly", settings.get_profile("default"), print_blob=True, max_examples=3000)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default")
settings.load_profile(PROFILE)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: more than a few seconds; runs with HYPOTHESIS_PROFILE=nightly or -m slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if PROFILE == "nightly" or "slow" in (config.getoption("-m") or ""):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: set HYPOTHESIS_PROFILE=nightly or give -m slow"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ../shared beside the repository, with trained networks and their data; tests that need it skip without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder ../shared beside the repository, which is not there")
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process: (exit code, stdout, stderr)."""
    from exactrelu.cli import main

    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
