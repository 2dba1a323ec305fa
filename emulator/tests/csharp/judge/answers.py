"""Write `answers.tsv` anew: what C# gives for the drawn expressions, where the emulator gives it too.

`APIM_JSON_NET=... python -m emulator.tests.csharp.judge.answers`, where the judge is.
"""

import tempfile
from itertools import chain
from pathlib import Path

import pytest

from emulator.tests.csharp.answers import ANSWERS, shortened
from emulator.tests.csharp.calls import without_chance
from emulator.tests.csharp.drawn import DRAWN_CALL, expressions
from emulator.tests.csharp.judge.compiler import Case, Report, judge
from emulator.tests.csharp.language import language


def report(folder: Path) -> Report:
    """Judge what is drawn; for use after `without_chance`."""
    texts = dict.fromkeys(chain.from_iterable((*expressions().values(), *language().values())))
    return judge([Case(text, (DRAWN_CALL,)) for text in texts], folder)


def written(found: Report) -> str:
    """Write the answers, one a line."""
    return "".join(f"{text}\t{shortened(value)}\n" for text, value in found.values)


def main() -> None:
    """Judge, print the report and write the file."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        without_chance(patch)
        found = report(Path(folder))
    print(found)  # noqa: T201 - what the command is for
    ANSWERS.write_text(written(found), encoding="utf-8")


if __name__ == "__main__":
    main()
