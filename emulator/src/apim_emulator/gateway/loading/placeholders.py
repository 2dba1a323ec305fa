"""Placeholders that another tool fills before API Management sees a document, and what fills them here.

Terraform's templates and Bicep have `${name}`, the Azure Pipelines `$(name)`, the task "Replace Tokens" `#{name}#`,
APIOps' configuration `{#name#}`, scripts `__name__`, and samples leave `{name}` for people. To API Management all of
them are texts like any other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from apim_emulator.gateway.failures import Problem

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TOOLS = {
    "apiops": "APIOps",
    "tokens": "Replace Tokens",
    "template": "Terraform or Bicep",
    "pipeline": "Azure Pipelines",
    "script": "a script",
    "mustache": "Mustache",
    "sample": "a sample",
    "address": "a sample",
}
_NAME = r"[A-Za-z][A-Za-z0-9 _.()/,-]{0,80}"
_FORM = re.compile(
    r"\{#(?P<apiops>[^{}#<>\"\n]{1,100})#\}"
    r"|#\{(?P<tokens>[^{}#<>\"\n]{1,100})\}#"
    r"|(?<!\$)\$\{(?P<template>[^{}<>\"\n]{1,100})\}"
    r"|\$\((?P<pipeline>[A-Za-z_][A-Za-z0-9_.-]{0,100})\)"
    r"|(?<![A-Za-z0-9_])__(?P<script>[A-Za-z][A-Za-z0-9]*(?:[_.-][A-Za-z0-9]+)*)__(?![A-Za-z0-9_])"
    rf"|(?<=[\"'>])\{{\{{\{{(?P<mustache>{_NAME})\}}\}}\}}(?=[\"'<])"
    rf"|(?:(?<==[\"'])|(?<=>))\{{(?P<sample>{_NAME})\}}(?=[\"'<])"
    r"|(?<!\{)\{(?P<address>[A-Za-z][A-Za-z0-9 _-]{0,80})\}(?!\})"
)
_ISSUER = "tenantid"
"""What the metadata of Microsoft Entra ID leave open in an issuer: the service knows it."""
_QUOTE = re.compile(r"\"|&quot;")
_ADDRESS = re.compile(r"https?://[^\s\"'<>]*$", re.IGNORECASE)
_LONGEST_ADDRESS = 300
_TAG = re.compile(r"<([A-Za-z][\w.-]*)")
_ATTRIBUTE = re.compile(r"([\w.:-]+)\s*=\s*(?:\"[^\"]*|'[^']*)$")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place in a document that another tool fills."""

    name: str
    written: str
    """As it stands in the document."""
    tool: str
    """Whose it is, as far as its form tells."""
    start: int

    @property
    def told(self) -> str:
        """What it is, with the option that fills it."""
        option = f"--set {self.name}=VALUE" if re.fullmatch(r"[\w.-]+", self.name) else "--set-file FILE"
        return f"{self.written} is a placeholder of {self.tool}: fill it with {option}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fillings:
    """Values for placeholders, by name."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: frozenset[str] = frozenset()
    """Names of values that nothing may show: they are put in as secret named values."""
    given: frozenset[str] = frozenset()
    """Names of those that were given one by one, each of which is meant for a placeholder."""
    used: set[str] = field(default_factory=set, compare=False, repr=False)
    """Names of those that were put in anywhere."""

    @property
    def named_values(self) -> dict[str, str]:
        """The named values that stand in a filled text for what is secret."""
        return {self._alias(name): self.values[name] for name in self.secrets}

    def fill(self, text: str) -> str:
        """Fill the placeholders whose values are known, once and as they are."""
        parts, end = [], 0
        for one in placeholders(text) if self.values else ():
            if one.name in self.values:
                self.used.add(one.name)
                value = f"{{{{{self._alias(one.name)}}}}}" if one.name in self.secrets else self.values[one.name]
                parts += [text[end : one.start], value]
                end = one.start + len(one.written)
        return "".join([*parts, text[end:]])

    def value(self, text: str) -> str:
        """Fill a text that is no policy document, with secrets as they are."""
        return replace(self, secrets=frozenset()).fill(text) if self.values else text

    def _alias(self, name: str) -> str:
        return f"placeholder-{sorted(self.secrets).index(name)}"


def placeholders(text: str) -> Iterator[Placeholder]:
    """Find the placeholders of a document outside of its comments, in order."""
    bare = without_comments(text)
    for found in _FORM.finditer(bare):
        kind = str(found.lastgroup)
        if kind in {"template", "address"} and _is_interpolated(bare, found.start()):
            continue
        before = bare[max(0, found.start() - _LONGEST_ADDRESS) : found.start()]
        if kind == "address" and (_ADDRESS.search(before) is None or found[kind] == _ISSUER):
            continue
        yield Placeholder(found[kind].strip(), found[0], _TOOLS[kind], found.start())


def without_comments(text: str) -> str:
    """Blank out comments; all places stay where they are."""
    return COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), text)


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both counted from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def unfilled(text: str, document: str) -> Iterator[Problem]:
    """Tell each placeholder of a document as a warning at the element that holds it."""
    found = list(placeholders(text))
    tags = list(_TAG.finditer(without_comments(text))) if found else []
    for one in found:
        tag = next((tag for tag in reversed(tags) if tag.start() < one.start), None)
        if tag is not None:
            between = text[tag.start() : one.start]
            attribute = None if ">" in between else _ATTRIBUTE.search(between)
            line, column = place(text, tag.start())
            name = attribute[1] if attribute else None
            yield Problem(document, line, tag[1], one.told, name, column, "warning")


def with_placeholders(problems: Iterable[Problem], texts: Mapping[str, str]) -> tuple[list[Problem], list[Problem]]:
    """Say of each problem which placeholder it comes from, and list the placeholders that prevent nothing.

    `texts` are the documents by label.
    """
    left = [one for document, text in texts.items() for one in unfilled(text, document)]
    told = []
    for problem in problems:
        own = [one for one in left if _is_of(one, problem)]
        left = [one for one in left if one not in own]
        told.append(replace(problem, reason="; ".join([problem.reason, *(one.reason for one in own)])))
    return told, left


def _is_of(placeholder: Problem, problem: Problem) -> bool:
    where = (problem.document, problem.line, problem.column)
    is_there = where == (placeholder.document, placeholder.line, placeholder.column)
    return is_there and problem.attribute in {None, placeholder.attribute}


def _is_interpolated(text: str, offset: int) -> bool:
    """Tell whether the string around a place is C#'s own `$"..."`."""
    line = text.rfind("\n", 0, offset) + 1
    quotes = list(_QUOTE.finditer(text, line, offset))
    return bool(quotes) and text[: quotes[-1].start()].endswith(("$", "$@", "@$"))
