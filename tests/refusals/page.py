"""Write the section *What a refused caller gets* of `docs/operations.md` from the cases.

`python -m tests.refusals.page`, in the repository's folder.
"""

import re
from collections.abc import Iterator

from tests.deployed import ROOT
from tests.refusals.cases import CASES, Case

PAGE = ROOT / "docs" / "operations.md"
COMMAND = "python -m tests.refusals.page"
BEGIN, END = f"<!-- `{COMMAND}` writes this table. -->", "<!-- end of the table -->"
_HEAD = ("status", "the caller reads", "cause", "how to tell", "remedy")


def table() -> str:
    """Return the table: a row for each case, by status."""
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_row, sorted(CASES, key=lambda case: case.status))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(case: Case) -> tuple[str, ...]:
    code = "" if case.code is None else f"`{case.code}`: "
    wait = " (`Retry-After`)" if case.retry_after else ""
    message = "the account's own words" if case.message == "…" else case.message.replace("|", "\\|")
    return str(case.status), f"{code}{message}{wait}", case.cause, "; ".join(_signs(case)), case.remedy


def _signs(case: Case) -> Iterator[str]:
    if case.reason is not None:
        yield f"`{case.reason}`{' (inferred)' if case.inferred else ''}"
    elif case.by == "account":
        yield f"`BackendResponseCode` {case.status}"
    elif case.by == "policy":
        after = f", after accounts had (`BackendResponseCode` {case.status})" if case.asked else ""
        yield f"the API's policy answered{after}"
    else:
        yield "nothing is logged"


def section(text: str) -> str:
    """Return the page `text` with the table as it is now."""
    begin, end = re.escape(BEGIN), re.escape(END)
    return re.sub(f"(?s){begin}.*{end}", lambda _: f"{BEGIN}\n\n{table()}\n\n{END}", text)


if __name__ == "__main__":
    PAGE.write_text(section(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
