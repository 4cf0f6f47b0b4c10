"""Every exception the package raises on purpose, under one root.

Each class is also the builtin that a caller would catch. A message is one line: what happened, the likely cause, the
remedy. The command line prints it and exits with 2.
"""

from __future__ import annotations


class ExactReluError(Exception):
    """The root of all errors that the package raises on purpose."""


class InvalidNumberError(ExactReluError, ValueError):
    """A number that is not finite, or that a format cannot hold exactly."""


class UnsupportedModelError(ExactReluError, ValueError):
    """A model holds an operator, a shape or a construction that no reader supports; names the operator and the node."""


class InvalidFileError(ExactReluError, ValueError):
    """A file is missing, empty, truncated or not what its suffix says."""


class InvalidRequestError(ExactReluError, ValueError):
    """The request makes no sense: a layer that does not exist, a wrong shape, an empty box."""


class CertificateError(ExactReluError, ValueError):
    """A certificate or an exact network file breaks the format; names the section."""
