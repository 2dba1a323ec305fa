"""What C# gives for each of several thousand drawn expressions, as the judge said it (`judge.answers` writes it)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

ANSWERS = Path(__file__).with_name("answers.tsv")

_LONGEST = 200


def shortened(value: str) -> str:
    """Put a digest in the place of a long value, such as the bytes of a certificate."""
    if len(value) <= _LONGEST:
        return value
    return f"{value[:40]}... {hashlib.sha256(value.encode()).hexdigest()[:16]}"


def answers() -> Iterator[tuple[str, str]]:
    """Read the expressions, each with what it gives in `drawn.DRAWN_CALL`, as `calls.show` prints it and shortened."""
    for line in ANSWERS.read_text(encoding="utf-8").splitlines():
        text, _, value = line.partition("\t")
        yield text, value
