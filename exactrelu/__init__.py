"""Exact, certified answers about trained ReLU networks: which inputs give an output, and how many.

This page is the table of contents. Every name is loaded when it is first used, so that `import exactrelu` costs next to
nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exactrelu.check import check
    from exactrelu.domain import AllSpace, Ball, Box, Domain, Orthant, Polytope, parse_domain
    from exactrelu.errors import (
        CertificateError,
        ExactReluError,
        InvalidFileError,
        InvalidNumberError,
        InvalidRequestError,
        UnsupportedModelError,
    )
    from exactrelu.exact.polyhedron import Polyhedron, is_omnidirectional, is_unique_solution, nullspace_projection
    from exactrelu.exact.rational import DyadicMatrix, RationalVector, parse_rational
    from exactrelu.float_gap import FloatGap, float_gap
    from exactrelu.injectivity import injectivity
    from exactrelu.injectivity.margins.repair import repair
    from exactrelu.injectivity.network import network_injectivity
    from exactrelu.injectivity.network.compare import compare
    from exactrelu.network.model import Layer, Network, SourceLayer
    from exactrelu.network.readers import load
    from exactrelu.points import Points, read_points
    from exactrelu.preimage import preimage
    from exactrelu.preimage.layer import LayerPreimage
    from exactrelu.preimage.reconstruct import reconstruct, sample_preimage
    from exactrelu.regions import regions
    from exactrelu.report import report
    from exactrelu.stability import stability
    from exactrelu.testing import assert_injective
    from exactrelu.training import InjectivityMonitor
    from exactrelu.verdict import Cardinality, Preimage, Witness

__version__ = "0.1.0"

_HOME = {
    "AllSpace": "domain",
    "Ball": "domain",
    "Box": "domain",
    "Cardinality": "verdict",
    "CertificateError": "errors",
    "Domain": "domain",
    "DyadicMatrix": "exact.rational",
    "ExactReluError": "errors",
    "FloatGap": "float_gap",
    "InvalidFileError": "errors",
    "InvalidNumberError": "errors",
    "InvalidRequestError": "errors",
    "InjectivityMonitor": "training",
    "Layer": "network.model",
    "LayerPreimage": "preimage.layer",
    "Network": "network.model",
    "Orthant": "domain",
    "Points": "points",
    "Polyhedron": "exact.polyhedron",
    "Polytope": "domain",
    "Preimage": "verdict",
    "RationalVector": "exact.rational",
    "SourceLayer": "network.model",
    "UnsupportedModelError": "errors",
    "Witness": "verdict",
    "assert_injective": "testing",
    "check": "check",
    "compare": "injectivity.network.compare",
    "float_gap": "float_gap",
    "injectivity": "injectivity",
    "is_omnidirectional": "exact.polyhedron",
    "is_unique_solution": "exact.polyhedron",
    "load": "network.readers",
    "network_injectivity": "injectivity.network",
    "nullspace_projection": "exact.polyhedron",
    "parse_domain": "domain",
    "parse_rational": "exact.rational",
    "preimage": "preimage",
    "read_points": "points",
    "reconstruct": "preimage.reconstruct",
    "regions": "regions",
    "repair": "injectivity.margins.repair",
    "report": "report",
    "sample_preimage": "preimage.reconstruct",
    "stability": "stability",
}

__all__ = [
    "AllSpace",
    "Ball",
    "Box",
    "Cardinality",
    "CertificateError",
    "Domain",
    "DyadicMatrix",
    "ExactReluError",
    "FloatGap",
    "InjectivityMonitor",
    "InvalidFileError",
    "InvalidNumberError",
    "InvalidRequestError",
    "Layer",
    "LayerPreimage",
    "Network",
    "Orthant",
    "Points",
    "Polyhedron",
    "Polytope",
    "Preimage",
    "RationalVector",
    "SourceLayer",
    "UnsupportedModelError",
    "Witness",
    "assert_injective",
    "check",
    "compare",
    "float_gap",
    "injectivity",
    "is_omnidirectional",
    "is_unique_solution",
    "load",
    "network_injectivity",
    "nullspace_projection",
    "parse_domain",
    "parse_rational",
    "preimage",
    "read_points",
    "reconstruct",
    "regions",
    "repair",
    "report",
    "sample_preimage",
    "stability",
]


class _Package(ModuleType):
    """Keeps `check`, `preimage` and their like the functions: loading the modules of these names would put the modules in their place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in _HOME):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_HOME})

    def __getattr__(self, name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module 'exactrelu' has no attribute {name!r}")
        value = getattr(importlib.import_module(f"exactrelu.{_HOME[name]}"), name)
        setattr(self, name, value)
        return value


sys.modules[__name__].__class__ = _Package
