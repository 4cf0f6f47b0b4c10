"""Check certificates: find the files, give every certificate its exact network, and say which claims are proved.

`python -m exactrelu.check PATH...` needs Python and nothing else. What a certificate may hold, and why its evidence
suffices, is in proofs/FORMAT.md; `exactrelu.checker` follows it section by section. A path may be a file or a folder;
the files of a folder are looked at, folders inside it are not. Only regular files are read.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.network import Network, read_network
from exactrelu.checker.text import Rejected, Text
from exactrelu.checker.verify import verify

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from io import BufferedReader

_CERTIFICATE = b"exactrelu-certificate"
_NETWORK = b"exactrelu-network"


@dataclass(frozen=True)
class CheckResult:
    """The verdict on one certificate: its claim if that could be read, and the reason if it is not proved."""

    file: str
    valid: bool
    claim: str
    reason: str | None


@dataclass(frozen=True)
class Report:
    """What `check` found; `problems` are why the request as a whole is wrong: nothing found, no network file, another network."""

    results: tuple[CheckResult, ...]
    ignored: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0: at least one certificate, all valid; 1: one is invalid; 2: there are problems."""
        if self.problems or not self.results:
            return 2
        return 0 if all(result.valid for result in self.results) else 1


def check(
    paths: Iterable[str | os.PathLike[str]], *, against_sha256: Container[str] | None = None, kernels: Kernels | None = None
) -> Report:
    """Check all certificates among the files `paths` and in the folders `paths`.

    A network file is looked for among the paths and beside the certificates. `against_sha256` holds the SHA-256 of every
    network's text that a model gives, written afresh: a certificate of another network is then a problem. `kernels` replaces
    the arithmetic (`exactrelu.fast_checker.FastKernels`). Never raises for what a file holds.

    >>> check([]).problems
    ('no certificate was found; name a certificate or a folder that holds some',)
    """
    kernels = kernels or Kernels()
    problems: list[str] = []
    ignored: list[str] = []
    certificates, networks = _sorted_out(_files(paths, problems), ignored, problems)
    if not certificates:
        problems.append("no certificate was found; name a certificate or a folder that holds some")
    results: dict[Path, CheckResult] = {}
    current: Network | Rejected | None = None
    current_sha256 = ""
    # the certificates of one network together, so that one network at a time is in memory
    for sha256, path in sorted((_network_named(path), path) for path in certificates):
        if sha256 != current_sha256:
            current, current_sha256 = _load(networks.get(sha256), sha256), sha256
        if sha256 and current is None:
            reason = f"section 2: its network file, SHA-256 {sha256}, is not among the paths nor beside it, or has changed"
            problems.append(f"{path}: {reason}")
            results[path] = CheckResult(str(path), False, "", reason)
            continue
        if sha256 and against_sha256 is not None and sha256 not in against_sha256:
            problems.append(
                f"{path}: its network is not the one that the model gives, nor one of its layers; was it exported or trained again?"
            )
        results[path] = _check_file(path, sha256, current, kernels)
    return Report(tuple(results[path] for path in certificates), tuple(ignored), tuple(problems))


def _sorted_out(paths: list[Path], ignored: list[str], problems: list[str]) -> tuple[list[Path], dict[str, Path]]:
    """The certificates among the paths, and the network files among them or beside a certificate by their SHA-256."""
    certificates: list[Path] = []
    networks: dict[str, Path] = {}
    for path in paths:
        kind = _kind(path, problems)
        if kind == "certificate":
            certificates.append(path)
        elif kind == "network":
            networks.setdefault(_sha256(path), path)
        else:
            ignored.append(str(path))
    known = {*certificates, *networks.values()}
    for folder in dict.fromkeys(path.parent for path in certificates):
        for path in _listed(folder, []):
            if path not in known and _kind(path, []) == "network":
                networks.setdefault(_sha256(path), path)
    return certificates, networks


def _check_file(path: Path, sha256: str, network: Network | Rejected | None, kernels: Kernels) -> CheckResult:
    try:
        with _opened(path) as stream:
            text, named = _header(stream)
            if named != sha256:
                raise Rejected("3", "the file changed while it was checked")
            if not isinstance(network, Network):
                raise network or Rejected("3", "no network is named")
            return CheckResult(str(path), True, str(verify(text, network, kernels)), None)
    except Rejected as error:
        return CheckResult(str(path), False, "", str(error))
    except RecursionError:
        return CheckResult(str(path), False, "", "too deep for this checker")
    except MemoryError:
        return CheckResult(str(path), False, "", "too large for this checker's memory")
    except (OverflowError, OSError) as error:
        return CheckResult(str(path), False, "", f"could not be checked: {type(error).__name__}")


def _header(stream: IO[bytes]) -> tuple[Text, str]:
    text = Text(stream)
    text.take("exactrelu-certificate 1", "3").done()
    fields = text.take("network", "3")
    sha256 = fields.sha256()
    fields.done()
    return text, sha256


def _network_named(path: Path) -> str:
    """The SHA-256 on the second line, or "" if the file breaks the format before it; reading it in full will say how."""
    try:
        with _opened(path) as stream:
            return _header(stream)[1]
    except (Rejected, OSError):
        return ""


def _load(path: Path | None, sha256: str) -> Network | Rejected | None:
    if path is None:
        return None
    try:
        with _opened(path) as stream:
            network = read_network(stream)
    except Rejected as error:
        return error
    except (MemoryError, OSError):
        return None
    return network if network.sha256 == sha256 else None


# Files


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """A regular file, opened without waiting (a pipe would) and without following a link."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        yield stream


def _listed(folder: Path, problems: list[str]) -> list[Path]:
    try:
        return [path for path in sorted(folder.iterdir()) if path.is_file() and not path.is_symlink()]
    except OSError as error:
        problems.append(f"{folder}: the folder cannot be read ({error.strerror or error})")
        return []


def _files(paths: Iterable[str | os.PathLike[str]], problems: list[str]) -> list[Path]:
    """The regular files named, and those in the folders named, each once."""
    found: dict[Path, None] = {}
    for given in paths:
        path = Path(given)
        try:
            mode = path.lstat().st_mode
        except (OSError, ValueError):
            problems.append(f"{path}: there is no such file or folder")
            continue
        if path.is_dir():
            found.update(dict.fromkeys(_listed(path, problems)))
        elif stat.S_ISREG(mode):
            found[path] = None
        else:
            problems.append(f"{path}: not a regular file; name the file itself")
    return list(found)


def _kind(path: Path, problems: list[str]) -> str:
    try:
        with _opened(path) as stream:
            start = stream.readline(64)
    except OSError as error:
        problems.append(f"{path}: cannot be read ({error.strerror or error})")
        return "unreadable"
    word = start.split(b" ")[0].rstrip()
    return "certificate" if word == _CERTIFICATE else "network" if word == _NETWORK else "other"


def _sha256(path: Path) -> str:
    try:
        with _opened(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


# Command line


def run(arguments: list[str] | None, kernels: Kernels) -> int:
    """Print one line a certificate and return the exit code."""
    parser = argparse.ArgumentParser(prog="exactrelu.check", description="Check certificates, or folders of them.")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a certificate, a network file, or a folder of them")
    report = check(parser.parse_args(arguments).paths, kernels=kernels)
    for result in report.results:
        print(f"{'valid  ' if result.valid else 'INVALID'} {_printable(result.file)}: {_printable(result.claim or result.reason or '')}")
    for name in report.ignored:
        print(f"ignored {_printable(name)}")
    for problem in report.problems:
        print(f"problem {_printable(problem)}", file=sys.stderr)
    valid = sum(result.valid for result in report.results)
    print(f"{valid} of {len(report.results)} certificates are valid ({kernels.name});", end=" ")
    print("the networks' integers were not compared with a model.")
    return report.exit_code


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def main(arguments: list[str] | None = None) -> int:
    """The command: check the paths given and return the exit code."""
    return run(arguments, Kernels())


if __name__ == "__main__":
    sys.exit(main())
