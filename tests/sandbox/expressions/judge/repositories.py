"""Finds the expressions in policy documents of public repositories, in git directories below one folder."""

import html
import re
import subprocess
from pathlib import Path

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SKIPPED = re.compile(
    r"""//[^\n]*|/\*.*?\*/|(?:@\$|\$@|@)"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"|'(?:\\.[^']{0,8}|[^'])'""", re.DOTALL
)
_CLOSING = {"(": ")", "{": "}", "[": "]"}
_NAMED_VALUE = re.compile(r"\{\{[\w.-]+\}\}")


def expressions(folder: Path) -> list[str]:
    """List the different expressions of all `.xml` files in the newest commits; named values are 1 in them."""
    found: dict[str, None] = {}
    for repository in sorted(path for path in folder.glob("*/repo") if path.is_dir()):
        for name in _git(repository, "ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0"):
            if name.endswith(".xml"):
                text = _COMMENT.sub("", _git(repository, "show", f"HEAD:{name}"))
                found.update(dict.fromkeys(_NAMED_VALUE.sub("1", one) for one in _in_document(text)))
    return list(found)


def _git(repository: Path, *arguments: str) -> str:
    run = subprocess.run(  # noqa: S603 - git, on repositories that the tester named
        ["git", "--git-dir", str(repository), *arguments],  # noqa: S607
        capture_output=True,
        check=True,
    )
    return run.stdout.decode(errors="replace")


def _in_document(text: str) -> list[str]:
    found = []
    for match in re.finditer(r"(?<![A-Za-z0-9])@[({]", text):
        start = match.start()
        quote = text[:start].rstrip()[-1:]
        end = text.find(quote if quote in {'"', "'"} else "<", start)
        # Well-formed XML escapes what the portal does not.
        escaped = html.unescape(text[start:end]).strip() if "&" in text[start:end] else ""
        if escaped and _end(escaped, 0) == len(escaped):
            found.append(escaped)
        elif (whole := _end(text, start)) is not None:
            found.append(text[start:whole])
    return found


def _end(text: str, start: int) -> int | None:
    """Find where an expression's brackets close."""
    open_: list[str] = []
    place = start + 1
    while place < len(text):
        skipped = _SKIPPED.match(text, place)
        if skipped is not None and not (text.startswith("//", place) and text[place - 1] == ":"):
            place = skipped.end()
            continue
        character = text[place]
        place += 1
        if character in _CLOSING:
            open_.append(_CLOSING[character])
        elif character in _CLOSING.values():
            if character != open_.pop():
                return None
            if not open_:
                return place
    return None
