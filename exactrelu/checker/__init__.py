"""The checker of certificates, section by section of proofs/FORMAT.md; Python's standard library only.

This is the code that a reader of a verdict has to trust, so it shares nothing with the code that finds verdicts.

- `text`        section 1: bytes, tokens, limits
- `network`     section 2: the exact network
- `claim`       section 3: domain, subject, claim, and the systems of linear conditions that a claim is about
- `evidence`    section 4: what makes a claim true
- `arithmetic`  the heavy steps, in integers; `exactrelu.check_fast` has faster ones

Files, folders and exit codes are in `exactrelu.check`.
"""

from __future__ import annotations
