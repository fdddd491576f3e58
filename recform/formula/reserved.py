"""Words that have a meaning in the language, and so name nothing else."""

from __future__ import annotations

STATEMENTS = ("init", "input", "output", "block", "param", "stream", "history")
KEYWORDS = (*STATEMENTS, "absent", "for", "in", "if", "else", "and", "or", "not", "l", "s",
            "channel", "identity")  # fmt: skip
