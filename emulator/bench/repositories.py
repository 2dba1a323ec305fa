"""Reads the policy documents of public repositories: git directories, or plain folders, wherever they lie."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from emulator.bench.placeholders import terraform

_DOCUMENT = re.compile(r"<(policies|fragment)\b")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ENDINGS = (".xml", ".xml.tpl", ".xml.tftpl", ".cshtml")
_PREFIX = re.compile(r"^(?:frag(?:ment)?|pf)-")


@dataclass(frozen=True)
class File:
    """An `.xml` file of a repository, or a template of one."""

    repository: str
    """As `owner/name`, where the folder is called `owner+name`."""
    path: str
    given: str

    @cached_property
    def text(self) -> str:
        """What it says, with `{{name}}` for each of Terraform's placeholders."""
        return terraform(self.given)

    @property
    def root(self) -> str | None:
        """Root element of a policy document, `policies` or `fragment`; None where it is none."""
        found = _DOCUMENT.search(_COMMENT.sub("", self.text))
        return None if found is None else found[1]

    @property
    def name(self) -> str:
        """What a fragment in this file is called by: the file without folder and endings."""
        return fragment_name(self.path.rpartition("/")[2].partition(".")[0])


def fragment_name(text: str) -> str:
    """Write a fragment's name as all that name it do: files have prefixes and other separators."""
    return _PREFIX.sub("", re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-"))


def files(folder: Path) -> Iterator[File]:
    """Read a git directory's newest commit, or each `*` and `*/repo` that is one, or a plain folder's files."""
    repositories = [one for one in (folder, *sorted(folder.glob("*")), *sorted(folder.glob("*/repo"))) if _is_git(one)]
    for one in repositories:
        name = (one.parent if one.name == "repo" else one).name
        for path, data in _committed(one):
            yield _file(name, path, data)
    if not repositories:
        for one in sorted(folder.rglob("*")):
            path = one.relative_to(folder).as_posix()
            if path.endswith(_ENDINGS) and one.is_file():
                yield _file(folder.resolve().name, path, one.read_bytes())


def _file(repository: str, path: str, data: bytes) -> File:
    return File(repository.replace("+", "/", 1), path, data.decode(errors="replace"))


def _is_git(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def _committed(repository: Path) -> Iterator[tuple[str, bytes]]:
    names = _git(repository, b"", "ls-tree", "-r", "-z", "--name-only", "HEAD").decode(errors="replace").split("\0")
    paths = [name for name in names if name.endswith(_ENDINGS) and "\n" not in name]
    found = _git(repository, "".join(f"HEAD:{path}\n" for path in paths).encode(), "cat-file", "--batch")
    at = 0
    for path in paths:
        head, _, _ = found[at:].partition(b"\n") if at < len(found) else (b"", b"", b"")
        at += len(head) + 1
        if head.endswith(b" missing"):
            continue
        size = int(head.rpartition(b" ")[2])
        yield path, found[at : at + size]
        at += size + 1


def _git(repository: Path, given: bytes, *arguments: str) -> bytes:
    run = subprocess.run(
        ["git", "--git-dir", str(repository), *arguments],  # noqa: S607 - git of the PATH
        input=given,
        capture_output=True,
        check=True,
    )
    return run.stdout
