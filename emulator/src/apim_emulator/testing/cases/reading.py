"""Case files read; every mistake in one is told with file, line, column, key, what is allowed and what to do."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from apim_emulator.errors import EmulatorError
from apim_emulator.files import UniqueKeys, read_file, yaml_mistake
from apim_emulator.folders.layout import is_service
from apim_emulator.folders.service import Documents, read_service
from apim_emulator.gateway.loading.placeholders import Fillings
from apim_emulator.testing.bench import BACKEND_HOST
from apim_emulator.testing.cases.format import Call, Case, CaseFile

SUFFIX = ".test.yaml"
"""How names of case files end."""
_MAX_CASES = 10_000
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_-]+)\}")
_PRIVATE = frozenset(
    {"named-values", "connections", "password", "placeholders", "headers", "query", "token", "form", "body", "json"}
)
"""Keys whose values no message shows, since one below them may be a secret."""
_WANTED = {
    "bool": "true or false", "dict": "a mapping of names to values", "finite_number": "a number",
    "float": "a number", "int": "a whole number", "list": "a list", "model": "a mapping", "string": "text",
}  # fmt: skip
"""What pydantic's types are in YAML."""
Key = tuple[str | int, ...]


_REMEDIES = {
    "fragment": "has no file; add it to the folder",
    "named value": "has no value; add it to named-values of {file}",
}


class CaseFileError(Exception):
    """A case file that cannot be run; the message has a line for each mistake."""


class _Loader(UniqueKeys):
    """Reads YAML as JSON has it: dates are texts, and only `true` and `false` are truth values."""


_Loader.yaml_implicit_resolvers = {
    letter: [
        (tag, re.compile("^(?:true|false)$") if tag.endswith(":bool") else pattern)
        for tag, pattern in found
        if not tag.endswith(":timestamp")
    ]
    for letter, found in UniqueKeys.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Runnable:
    """A case and where it is in its file."""

    name: str
    line: int
    case: Case = field(repr=False)

    @property
    def calls(self) -> list[Call]:
        """The calls of the case, one after the other."""
        return [self.case] if self.case.calls is None else self.case.calls


@dataclass(frozen=True, kw_only=True, slots=True)
class Cases:
    """A case file that was read."""

    path: Path
    policy: Path
    content: CaseFile = field(repr=False)
    cases: tuple[Runnable, ...] = field(repr=False)
    service: Documents | None = field(default=None, repr=False)
    """The service of a folder, in place of the policy."""
    fillings: Fillings = field(default_factory=Fillings)
    """Values for placeholders: the file's own, and those that were given for all files in their place."""

    @property
    def named_values(self) -> dict[str, str]:
        """Named values by name, and what stands for them in filled documents."""
        own = {name: one.value for name, one in self.content.named_values.items()}
        others = {} if self.service is None else self.service.gateway.named_values
        return {**others, **own, **self.fillings.named_values}

    @property
    def secret_names(self) -> frozenset[str]:
        """Names of the secret ones of `named_values`."""
        own = self.content.named_values
        others = frozenset() if self.service is None else self.service.gateway.secret_names
        return frozenset(
            (others - own.keys())
            | {name for name, one in own.items() if one.secret}
            | self.fillings.named_values.keys()
        )

    def document(self, path: Path) -> str:
        """Read a policy document and fill its placeholders."""
        return self.fillings.fill(path.read_text(encoding="utf-8-sig"))

    def beside(self, name: str) -> Path:
        """Return a file that the case file names."""
        return self.path.parent / name


def read_cases(path: Path, fillings: Fillings | None = None) -> Cases:
    """Read a case file, with other values for placeholders too. Raises `CaseFileError` with every mistake."""
    return _File(path).cases(fillings or Fillings())


class _File:
    """A case file while it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._node = _composed(path)
        self._mistakes: dict[tuple[tuple[int, int], str], None] = {}

    def cases(self, fillings: Fillings) -> Cases:
        """Return what it holds; raises `CaseFileError`."""
        loader = _Loader("")
        raw = loader.construct_document(self._node) if self._node else None
        if not isinstance(raw, dict):
            raise CaseFileError(f"{self._path}: must be a mapping; its cases are the list tests")
        tests = raw.get("tests")
        rows = list(self._expanded(tests)) if isinstance(tests, list) else []
        origins = [index for index, _ in rows]
        content = self._validated({**raw, "tests": [one for _, one in rows]} if rows else raw, origins)
        service = None
        if content is not None:
            fillings = _with(fillings, content)
            service = self._service(content, fillings)
            self._check_names(content, origins)
            self._check_subscriptions(content, origins, service)
        if content is None or self._mistakes:
            lines = (f"{self._path}:{line}:{column}: {text}" for (line, column), text in sorted(self._mistakes))
            raise CaseFileError("\n".join(lines))
        return Cases(
            path=self._path,
            policy=self._policy(content),
            content=content,
            service=service,
            fillings=fillings,
            cases=tuple(
                Runnable(name=case.name, line=self._place(("tests", index))[0][0], case=case)
                for index, case in zip(origins, content.tests, strict=True)
            ),
        )

    def _add(self, key: Key, text: str) -> None:
        place, written = self._place(key)
        self._mistakes[place, f"{_shown(written)}: {text}" if written else text] = None

    def _place(self, key: Key) -> tuple[tuple[int, int], Key]:
        """Return line and column of a key, and the key as it is written: without what a shorthand leaves out."""
        node, mark = self._node, self._node.start_mark
        written: list[str | int] = []
        for part in key:
            if isinstance(node, yaml.MappingNode) and isinstance(part, str):
                found = next(((name, inner) for name, inner in node.value if name.value == part), None)
                if found is None:  # one that is missing
                    written.append(part)
                    break
                mark, node = found[0].start_mark, found[1]
                written.append(part)
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                node = node.value[part]
                mark = node.start_mark
                written.append(part)
        return (mark.line + 1, mark.column + 1), tuple(written)

    def _expanded(self, tests: list[Any]) -> Iterator[tuple[int, Any]]:
        """Give each case with its place in the list, one with `examples` once for each row."""
        budget = _MAX_CASES
        for index, test in enumerate(tests):
            rows = test.get("examples") if isinstance(test, dict) else None
            if not (isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)):
                yield index, test
                continue
            for row in rows:
                budget -= 1
                if budget < 0:
                    raise CaseFileError(f"{self._path}: more than {_MAX_CASES} cases with examples")
                bare = {name: one for name, one in test.items() if name != "examples"}
                filled = self._filled(bare, row, ("tests", index))
                if filled.get("name") == test.get("name"):
                    filled["name"] = f"{test.get('name')} [{', '.join(map(str, row.values()))}]"
                yield index, filled

    def _filled(self, value: Any, row: Mapping[str, Any], key: Key) -> Any:
        """Put the values of a row into all texts; a text that is one placeholder becomes the value as it is."""
        if isinstance(value, dict):
            return {name: self._filled(one, row, (*key, name)) for name, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one, row, (*key, index)) for index, one in enumerate(value)]
        if not isinstance(value, str):
            return value
        for name in _PLACEHOLDER.findall(value):
            if name not in row:
                self._add(key, f"${{{name}}} is in no row of examples; a row has {', '.join(map(str, row))}")
        whole = _PLACEHOLDER.fullmatch(value)
        if whole is not None:
            return row.get(whole[1])
        return _PLACEHOLDER.sub(lambda found: str(row.get(found[1])), value)

    def _validated(self, raw: dict[str, Any], origins: list[int]) -> CaseFile | None:
        allowed: dict[int, list[str]] = {}
        try:
            return CaseFile.model_validate(raw, context=allowed)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                key = detail["loc"]
                owner = _value(raw, key[:-1])
                if len(key) > 1 and key[0] == "tests" and isinstance(key[1], int) and origins:
                    key = ("tests", origins[key[1]], *key[2:])
                self._add(key, _told(detail, allowed.get(id(owner), [])))
        return None

    def _folder(self, content: CaseFile) -> Path | None:
        """Return the folder of the service that the cases are for, None where they are for one policy."""
        if content.folder is not None:
            return self._path.parent / content.folder
        own = self._path.parent
        is_default = content.policy is None and not self._policy(content).is_file() and is_service(own)
        return own if is_default and not content.model_fields_set & {"scope", "fragments"} else None

    def _service(self, content: CaseFile, fillings: Fillings) -> Documents | None:
        """Read the service of a folder; raises `CaseFileError` with every mistake in it."""
        folder = self._folder(content)
        if folder is None:
            return None
        try:
            found = read_service(
                folder, f"https://{BACKEND_HOST}", keys=key_of, fillings=fillings, sku=content.sku,
                keyed=bool(content.subscriptions),
            )  # fmt: skip
        except EmulatorError as error:
            self._add(("folder",), str(error))
            return None
        known = content.named_values
        missing = [
            f"{where}: {kind} {name} {_REMEDIES[kind].format(file=self._path)}"
            for where, kind, name in found.missing() if kind == "fragment" or name not in known
        ]  # fmt: skip
        if found.mistakes or missing:
            raise CaseFileError("\n".join([*map(str, found.mistakes), *missing]))
        return found

    def _check_subscriptions(self, content: CaseFile, origins: list[int], service: Documents | None) -> None:
        """Check that products and subscriptions that are named are there."""
        known = dict.fromkeys(content.subscriptions)
        if service is not None:
            known |= dict.fromkeys(one.id for one in service.gateway.subscriptions)
            products = [one.id for one in service.gateway.products]
            there = ", ".join(products) or "none"
            for name, product in content.subscriptions.items():
                if product is not None and product not in products:
                    self._add(("subscriptions", name), f"{product} is no product of the folder; there are: {there}")
        for index, case in zip(origins, content.tests, strict=True):
            calls = [case] if case.calls is None else case.calls
            for number, call in enumerate(calls):
                wanted = call.request.subscription
                if wanted is not None and wanted not in known:
                    key: Key = ("tests", index, *(() if case.calls is None else ("calls", number)), "request")
                    names = ", ".join(known) or "none"
                    self._add((*key, "subscription"), f"{wanted!r} is no subscription of this file; there are: {names}")

    def _check_names(self, content: CaseFile, origins: list[int]) -> None:
        """Check the backends and files that are named."""
        for pool, members in content.pools.items():
            for index, member in enumerate(members):
                if member not in content.backends:
                    self._add(("pools", pool, index), f"{member} is no backend of this file; add it to backends")
        files: dict[Key, str] = {("fragments", name): file for name, file in content.fragments.items()}
        if content.policy is not None:
            files["policy",] = content.policy
        files |= dict(_presented(content, origins))
        files |= {("certificates", name): one.file for name, one in content.certificates.items() if one.file}
        files |= {("ca-certificates", at): one.file for at, one in enumerate(content.ca_certificates) if one.file}
        for key, file in files.items():
            if not (self._path.parent / file).is_file():
                self._add(key, f"{file} is no file in {self._path.parent}")
        if self._folder(content) is None and content.policy is None and not self._policy(content).is_file():
            self._add(
                (),
                f"{self._policy(content).name} is no file beside it; name the policy's file with the key policy, or a "
                "service's folder with the key folder",
            )

    def _policy(self, content: CaseFile) -> Path:
        default = f"{self._path.name.removesuffix(SUFFIX)}.xml"
        return self._path.parent / (default if content.policy is None else content.policy)


def key_of(subscription: str) -> str:
    """Key of a subscription of a case file; cases name the subscription and never see it."""
    return f"key-of-{subscription}"


def _with(given: Fillings, content: CaseFile) -> Fillings:
    """Put the values that were given before those of the file."""
    own = {name: one for name, one in content.placeholders.items() if name not in given.values}
    return Fillings(
        values={**{name: one.value for name, one in own.items()}, **given.values},
        secrets=given.secrets | {name for name, one in own.items() if one.secret},
    )


def _presented(content: CaseFile, origins: list[int]) -> Iterator[tuple[Key, str]]:
    """List the files of certificates that callers present."""
    for index, case in zip(origins, content.tests, strict=True):
        for number, call in enumerate([case] if case.calls is None else case.calls):
            one = call.request.certificate
            if one is not None and one.file is not None:
                yield (
                    ("tests", index, *(() if case.calls is None else ("calls", number)), "request", "certificate"),
                    one.file,
                )


def _composed(path: Path) -> yaml.Node:
    try:
        node = yaml.compose(read_file(path).decode("utf-8-sig"), _Loader)
    except EmulatorError as error:
        raise CaseFileError(str(error)) from None
    except yaml.MarkedYAMLError as error:
        raise CaseFileError(yaml_mistake(path, error)) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise CaseFileError(f"{path}: not YAML in UTF-8") from None
    if node is None:
        raise CaseFileError(f"{path}: is empty; it needs a list tests")
    return node


def _value(raw: Any, key: Key) -> Any:
    for part in key:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            continue  # a step of a shorthand that is not written
    return raw


def _shown(key: Key) -> str:
    """Write a key as people do: `tests[0].response.status`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _told(detail: ErrorDetails, allowed: list[str]) -> str:
    """Say what is wrong and what is allowed."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        name = str(detail["loc"][-1])
        near = difflib.get_close_matches(name, allowed, 1)
        meant = f"; did you mean {near[0]}" if near else ""
        return f"is no key here{meant}; allowed are {', '.join(allowed)}"
    if kind == "missing":
        return "is missing; it is required"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    given = detail["input"]
    private = _PRIVATE.intersection(map(str, detail["loc"])) or isinstance(given, dict | list)
    subject = "" if private else f"{given!r}: "
    if kind == "literal_error":
        return f"{subject}must be {context['expected']}"
    if kind == "string_pattern_mismatch":
        return f"{subject}must match {context['pattern']}"
    wanted = _WANTED.get(kind.removesuffix("_type").removesuffix("_parsing").removesuffix("_attributes"))
    if wanted is not None:
        return f"{subject}must be {wanted}"
    return f"{subject}{detail['msg'][:1].lower()}{detail['msg'][1:]}"
