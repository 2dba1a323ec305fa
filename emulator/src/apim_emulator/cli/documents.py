"""A policy document and what goes with it, read from a person's files; mistakes are told by file, line and column."""

import os
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import yaml
from pydantic import ConfigDict, StrictBool, StrictStr, TypeAdapter, ValidationError

from apim_emulator.errors import EmulatorError
from apim_emulator.files import UniqueKeys, read_file, yaml_mistake
from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.document import NAMED_VALUE
from apim_emulator.gateway.loading.placeholders import Fillings, place, with_placeholders, without_comments
from apim_emulator.gateway.standalone import API

__all__ = ["terms"]

FRAGMENT = re.compile(r"""<include-fragment\s[^>]*?\bfragment-id\s*=\s*(["'])([^"'<>]*)\1""")
"""Where a text includes a fragment; its second group is the ID."""
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedValue:
    """An entry of a file of named values that says more than the value."""

    __pydantic_config__: ClassVar[ConfigDict] = {"extra": "forbid"}

    value: StrictStr = field(repr=False)
    secret: StrictBool = True


_NAMED_VALUES = TypeAdapter(dict[str, StrictStr | NamedValue])


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """What the files hold."""

    policy: str
    fragments: Mapping[str, str]
    named_values: Mapping[str, str] = field(repr=False)
    secret_names: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentFiles:
    """The files of a policy document."""

    policy: Path
    named_values: Path | None = None
    fragments: Mapping[str, Path] = field(default_factory=dict)
    fillings: Sequence[str] = ()
    """`NAME=VALUE` or `NAME`: what fills placeholders."""
    fillings_file: Path | None = None

    def read(self) -> Texts:
        """Read all. Raises `EmulatorError` with every named value and every fragment that is missing."""
        values, secrets = read_named_values(self.named_values)
        fillings = read_fillings(self.fillings, self.fillings_file)
        texts = Texts(
            policy=fillings.fill(read_text(self.policy)),
            fragments={name: fillings.fill(read_text(path)) for name, path in self.fragments.items()},
            named_values=values | fillings.named_values,
            secret_names=secrets | fillings.named_values.keys(),
        )
        missing: dict[str, str] = {}
        files = {self.policy: texts.policy}
        files |= {path: texts.fragments[name] for name, path in self.fragments.items()}
        for path, text in files.items():
            for what, message in self._missing(path, text, texts.named_values):
                missing.setdefault(what, message)
        if missing:
            raise EmulatorError("\n".join(missing.values()))
        return texts

    def state(self) -> Hashable:
        """Return what differs once any of the files has changed."""
        own = (self.policy, self.named_values, self.fillings_file, *self.fragments.values())
        return tuple(map(_stamp, filter(None, own)))

    @contextmanager
    def explained(self, texts: Texts) -> Iterator[None]:
        """Turn what prevents a document from being loaded into a `EmulatorError`: a line for each problem."""
        try:
            yield
        except PolicyLoadError as error:
            problems, _ = with_placeholders(error.problems, self._by_label(texts))
            raise EmulatorError("\n".join(problem.in_file(self._files) for problem in problems)) from None

    def unfilled(self, texts: Texts) -> list[str]:
        """Tell the placeholders that nothing fills, a line each."""
        return [one.in_file(self._files) for one in with_placeholders((), self._by_label(texts))[1]]

    @property
    def _files(self) -> dict[str, Path]:
        return {f"api {API}": self.policy, **{f"fragment {name}": path for name, path in self.fragments.items()}}

    def _by_label(self, texts: Texts) -> dict[str, str]:
        return {f"api {API}": texts.policy, **{f"fragment {name}": text for name, text in texts.fragments.items()}}

    def _missing(self, path: Path, text: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Give what is missing with a message, wherever it is used outside of comments."""
        bare = without_comments(text)
        remedy = "give a file with --named-values" if self.named_values is None else f"add it to {self.named_values}"
        for found in NAMED_VALUE.finditer(bare):
            if found[1] not in values:
                place = _place(path, bare, found.start())
                yield f"value {found[1]}", f"{place}: named value {found[1]} has no value; {remedy}"
        for found in FRAGMENT.finditer(bare):
            name = found[2]
            if name not in self.fragments and not NAMED_VALUE.search(name):
                place = _place(path, bare, found.start())
                yield f"fragment {name}", f"{place}: fragment {name} has no file; give it with --fragment {name}=FILE"


def pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Read the values `NAME=VALUE` of an option that may be given several times; raises `EmulatorError`."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise EmulatorError(f"{option} {text}: must be a name, = and a value")
        if name in found:
            raise EmulatorError(f"{option} {name}: is given twice")
        found[name] = value
    return found


def terms(option: str, texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read the values `NAME=TERM` of an option, several of which may have a name; raises `EmulatorError`."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        ((name, term),) = pairs(option, [text]).items()
        found[name] = (*found.get(name, ()), term)
    return found


def read_text(path: Path) -> str:
    """Read a file in UTF-8; raises `EmulatorError`."""
    try:
        return read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EmulatorError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8") from None


def _stamp(path: Path) -> Hashable:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_named_values(path: Path | None, *, any_name: bool = False) -> tuple[dict[str, str], frozenset[str]]:
    """Read a YAML or JSON file of names and values; all are secret but those that say otherwise."""
    if path is None:
        return {}, frozenset()
    text = read_text(path)
    try:
        found = _NAMED_VALUES.validate_python(yaml.load(text, UniqueKeys) or {})  # noqa: S506 - a safe one
    except yaml.MarkedYAMLError as error:
        raise EmulatorError(yaml_mistake(path, error)) from None
    except ValidationError as error:
        name = next((str(one["loc"][0]) for one in error.errors(include_input=False) if one["loc"]), None)
        subject = "" if name is None or _NAME.fullmatch(name) is None else f"{name}: "
        form = "text in quotes, or {value: text in quotes, secret: false}"
        form = f"must be {form}" if subject else f"must be names with their values: {form}"
        raise EmulatorError(f"{path}: {subject}{form}") from None
    except (yaml.YAMLError, RecursionError, TypeError, ValueError):
        raise EmulatorError(f"{path}: not YAML or JSON") from None
    for name in found:
        if not any_name and _NAME.fullmatch(name) is None:
            raise EmulatorError(f"{path}: a name must be of letters, digits, dots, dashes and underscores")
    values = {name: one if isinstance(one, str) else one.value for name, one in found.items()}
    public = {name for name, one in found.items() if isinstance(one, NamedValue) and not one.secret}
    return values, frozenset(values) - public


def _place(path: Path, text: str, offset: int) -> str:
    return ":".join(map(str, (path, *place(text, offset))))


def read_fillings(texts: Iterable[str], path: Path | None) -> Fillings:
    """Read what fills placeholders: `NAME=VALUE`, `NAME` of the environment, and a file. Raises `EmulatorError`.

    In the name of a variable, what it cannot have is an underscore: `backend-key` is in `backend_key`.
    """
    values, secrets = read_named_values(path, any_name=True)
    given: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not name or name in given:
            raise EmulatorError(f"--set {name}: {'is given twice' if name else 'must be NAME=VALUE or NAME'}")
        if not sign:
            variable = re.sub(r"\W", "_", name, flags=re.ASCII)
            if variable not in os.environ:
                raise EmulatorError(f"--set {name}: there is no environment variable {variable}; set it, or add =VALUE")
            value = os.environ[variable]
        given[name] = value
        secrets = secrets - {name} if sign else secrets | {name}
    return Fillings(values={**values, **given}, secrets=secrets)
