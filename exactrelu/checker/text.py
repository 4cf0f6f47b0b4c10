"""Section 1 of proofs/FORMAT.md: a file is lines, a line is tokens, a token has one spelling.

Lines are read one at a time, and limits are checked before anything is converted; a count in a file allocates nothing.
"""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from typing import IO, NoReturn

TOKEN_DIGITS = 2**16
LONG_TOKEN_DIGITS = 2**20
LONG_LINES = frozenset(["point", "output", "solution", "relation", "null", "implicit", "farkas", "ray", "trivial exact"])
LINE_BYTES = 2**26
SIZE = 2**20
EXPONENT = 2**13
LAYERS = 2**12
VECTOR_BITS = 2**33
# beyond these, divisions and inverses of a number take minutes
DENOMINATOR_BITS = 2**18
MODULUS_BITS = 64
# of the trees of sections 4.10 and 4.11: choices of one pack, nodes within one another, steps, bits of a matrix's pivots
PACK_CHOICES = 2**24
TREE_DEPTH = 2**16
TREE_STEPS = 2**30
PIVOT_BITS = 2**17

_NATURAL = re.compile(r"0|[1-9a-f][0-9a-f]*+")
_INTEGERS = re.compile(r"(?:0|-?[1-9a-f][0-9a-f]*+)(?: (?:0|-?[1-9a-f][0-9a-f]*+))*+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"(?:[A-Za-z0-9\-._~]|%[0-9A-F]{2})++")


class Rejected(Exception):
    """A file that the format or the rules of evidence do not accept; the message names the section of FORMAT.md."""

    def __init__(self, section: str, reason: str) -> None:
        super().__init__(f"section {section}: {reason}")


class Fields:
    """The tokens of one line after its keyword, read from left to right."""

    def __init__(self, rest: str, section: str, line: int, digits: int) -> None:
        self._rest = rest
        self._section = section
        self._line = line
        self._digits = digits

    def reject(self, reason: str) -> NoReturn:
        raise Rejected(self._section, f"line {self._line}: {reason}")

    def token(self, what: str) -> str:
        token, _, self._rest = self._rest.partition(" ")
        if not token:
            self.reject(f"{what} is missing")
        if len(token) > self._digits + 1:
            self.reject(f"{what} is longer than {self._digits} digits")
        return token

    def alone(self, word: str) -> bool:
        """Whether `word` is all that is left of the line; if so, it is taken."""
        if self._rest != word:
            return False
        self._rest = ""
        return True

    def word(self, *words: str) -> str:
        token = self.token("a word")
        if token not in words:
            self.reject(f"{token[:24]!r} is none of {', '.join(words)}")
        return token

    def natural(self, what: str, limit: int | None = None) -> int:
        token = self.token(what)
        if not _NATURAL.fullmatch(token) or len(token) > self._digits:
            self.reject(f"{what} is not a natural number in hexadecimal")
        value = int(token, 16)
        if limit is not None and value > limit:
            self.reject(f"{what} is larger than {limit}")
        return value

    def positive(self, what: str) -> int:
        value = self.natural(what)
        if value == 0:
            self.reject(f"{what} is 0")
        return value

    def integer(self, what: str) -> int:
        token = self.token(what)
        if not _INTEGERS.fullmatch(token) or len(token) - token.startswith("-") > self._digits:
            self.reject(f"{what} is not an integer in hexadecimal")
        return int(token, 16)

    def nonzero(self, what: str) -> int:
        value = self.integer(what)
        if value == 0:
            self.reject(f"{what} is 0")
        return value

    def empty(self) -> bool:
        return not self._rest

    def mask(self, what: str, length: int) -> int:
        value = self.natural(what)
        if value.bit_length() > length:
            self.reject(f"{what} has a bit beyond its {length} elements")
        return value

    def exponent(self) -> int:
        token = self.token("an exponent")
        if len(token) > 5 or not _INTEGERS.fullmatch(token):
            self.reject("an exponent is not an integer of the allowed size")
        value = int(token, 16)
        if abs(value) > EXPONENT:
            self.reject(f"an exponent is beyond {EXPONENT}")
        return value

    def sha256(self) -> str:
        token = self.token("a SHA-256")
        if not _SHA256.fullmatch(token):
            self.reject("a SHA-256 is not 64 lower-case hexadecimal digits")
        return token

    def name(self) -> str:
        token = self.token("a name")
        if not _NAME.fullmatch(token):
            self.reject("a name is not percent-encoded")
        return token

    def integers(self, count: int, what: str) -> list[int]:
        """All that is left of the line: exactly `count` integers."""
        found = self._rest.count(" ") + 1 if self._rest else 0
        if found != count:
            self.reject(f"{what}: {found} numbers where {count} belong")
        return self.rest(what)

    def rest(self, what: str) -> list[int]:
        """All that is left of the line, integers."""
        rest, self._rest = self._rest, ""
        if not rest:
            return []
        if not _INTEGERS.fullmatch(rest):
            self.reject(f"{what}: not integers in hexadecimal, one blank between two")
        tokens = rest.split(" ")
        if len(rest) > self._digits and max(len(token) - token.startswith("-") for token in tokens) > self._digits:
            self.reject(f"{what}: a number is longer than {self._digits} digits")
        return [int(token, 16) for token in tokens]

    def done(self) -> None:
        if self._rest:
            self.reject(f"nothing belongs after {self._rest[:24]!r}'s place")


class Text:
    """A file's lines, one ahead; `sha256` covers the bytes read so far."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._number = 0
        self._line: str | None = None
        self._advance()

    def _advance(self) -> None:
        raw = self._stream.readline(LINE_BYTES + 2)
        self._hash.update(raw)
        self._number += 1
        if not raw:
            self._line = None
            return
        if len(raw) > LINE_BYTES + 1:
            raise Rejected("1", f"line {self._number} is longer than {LINE_BYTES} bytes")
        if not raw.endswith(b"\n") or not raw.isascii():
            raise Rejected("1", f"line {self._number} is not ASCII ending in LF; the file may be cut off")
        if raw.startswith(b" ") or raw.endswith(b" \n") or b"  " in raw:
            raise Rejected("1", f"line {self._number} has a blank at an end or two in a row")
        self._line = raw[:-1].decode("ascii")

    def sha256(self) -> str:
        return self._hash.hexdigest()

    def begins(self, keyword: str) -> bool:
        return self._line is not None and (self._line == keyword or self._line.startswith(keyword + " "))

    def take(self, keyword: str, section: str) -> Fields:
        """The rest of the next line, which must begin with `keyword`."""
        if self._line is None:
            raise Rejected(section, f"the file ends where `{keyword}` belongs")
        if not self.begins(keyword):
            raise Rejected(section, f"line {self._number}: `{keyword}` belongs here, not {self._line[:24]!r}")
        digits = LONG_TOKEN_DIGITS if keyword in LONG_LINES or keyword.partition(" ")[0] in LONG_LINES else TOKEN_DIGITS
        fields = Fields(self._line[len(keyword) + 1 :], section, self._number, digits)
        self._advance()
        return fields

    def end(self, section: str) -> None:
        self.take("end", section).done()
        if self._line is not None:
            raise Rejected("1", f"line {self._number}: something follows `end`")


def bits(mask: int) -> list[int]:
    """The positions of the bits set, in increasing order."""
    return [position for position, digit in enumerate(reversed(bin(mask))) if digit == "1"]


def numbered(fields: Fields, limit: int) -> list[int]:
    """N d1 .. dN: numbers below the limit, increasing."""
    count, *numbers = fields.rest("numbers") or [-1]
    if count != len(numbers):
        fields.reject("there are not as many numbers as N says")
    if any(i >= j for i, j in pairwise([-1, *numbers, limit])):
        fields.reject("the numbers are not increasing, or beyond the last")
    return numbers


def affordable(count: int, size: int, section: str) -> None:
    """Reject before `count` numbers of `size` bits are made, if they would fill the memory."""
    if count * size > VECTOR_BITS:
        raise Rejected(section, f"{count} numbers of {size} bits are more than a checker takes on")
