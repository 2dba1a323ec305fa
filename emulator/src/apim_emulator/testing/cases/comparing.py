"""What was expected beside what came about; secrets are masked."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apim_emulator.csharp.runtime.json_text import write
from apim_emulator.csharp.runtime.jtokens import JToken
from apim_emulator.testing.cases.format import Call, ExpectedPolicy, ExpectedRequest, Matching, Texts
from apim_emulator.testing.values import Request, Response
from apim_emulator.tracing.mask import Mask
from apim_emulator.tracing.model import Span

ABSENT = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as expected; the values are masked."""

    what: str
    """Such as `response.headers.X-Team`."""
    expected: str
    actual: str

    def __str__(self) -> str:
        """One line for the person who wrote the case."""
        return f"{self.what}: expected {self.expected}, got {self.actual}"


class Comparison:
    """Compares a call with its response."""

    def __init__(self, mask: Mask, certificates: Mapping[str, str] | None = None) -> None:
        """Show values through a mask, and certificates of these thumbprints by their names."""
        self._mask = mask
        self._certificates = certificates or {}
        self._found: list[Difference] = []

    def differences(self, call: Call, response: Response) -> list[Difference]:
        """List all that is not as expected."""
        self._found = []
        self._response(call, response)
        if call.received is not None:
            self._requests(call.received, response.requests)
        for name, expected in (call.variables or {}).items():
            self._json(f"variables.{name}", expected, _plain(response.variables.get(name)))
        if call.error is not None:
            self._error(call, response)
        if call.metrics is not None:
            self._metrics(call, response)
        if call.trace is not None:
            spans = list(_spans(response.trace.spans if response.trace else ()))
            self._policies(call.trace, spans)
        return self._found

    def _add(self, what: str, expected: str, actual: str) -> None:
        if expected == actual:  # both are hidden
            actual = "another secret"
        self._found.append(Difference(what, expected, actual))

    def _show(self, what: str, value: object) -> str:
        """Write a value as JSON has it, without secrets; `what` ends with its name."""
        if value is None:
            return ABSENT
        name = re.split(r"[.\[]", what.rstrip("]"))[-1]
        if isinstance(value, dict | list):
            return self._mask.text(json.dumps(_masked(value, self._mask), ensure_ascii=False))
        if isinstance(value, str):
            return json.dumps(self._mask.named(name, value), ensure_ascii=False)
        return str(self._mask.named(name, value))

    def _same(self, what: str, expected: object, actual: object) -> None:
        if expected is not None and expected != actual:
            self._add(what, self._show(what, expected), self._show(what, actual))

    def _text(self, what: str, expected: Matching | None, actual: str | None) -> None:
        """Compare a text; None expects that it is absent."""
        if expected is None:
            if actual is not None:
                self._add(what, ABSENT, self._show(what, actual))
            return
        if expected.equals is not None:
            if expected.equals != actual:
                self._add(what, self._show(what, expected.equals), self._show(what, actual))
        elif expected.contains is not None:
            if actual is None or expected.contains not in actual:
                self._add(what, f"a text with {self._show(what, expected.contains)}", self._show(what, actual))
        elif expected.matches is not None and (actual is None or re.fullmatch(expected.matches, actual) is None):
            self._add(what, f"a text that matches {self._show(what, expected.matches)}", self._show(what, actual))

    def _json(self, what: str, expected: object, actual: object) -> None:
        """Compare JSON: an object may have more members than are expected, a list has as many items."""
        if isinstance(expected, dict) and isinstance(actual, Mapping):
            for name, one in expected.items():
                self._json(f"{what}.{name}", one, actual.get(name))
        elif isinstance(expected, list) and isinstance(actual, list):
            if len(expected) != len(actual):
                self._add(what, _counted(len(expected), "item"), self._show(what, actual))
            for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
                self._json(f"{what}[{index}]", one, other)
        elif expected != actual or isinstance(expected, bool) is not isinstance(actual, bool):
            self._add(what, self._show(what, expected), self._show(what, actual))

    def _body(self, what: str, expected_json: object, expected_text: Matching | None, content: bytes) -> None:
        text = content.decode("utf-8", "replace")
        if expected_text is not None:
            self._text(f"{what}.body", expected_text, text)
        if expected_json is not None:
            try:
                actual = json.loads(content)
            except ValueError:
                self._add(f"{what}.json", self._show(what, expected_json), f"no JSON: {self._show(what, text)}")
            else:
                self._json(f"{what}.json", expected_json, actual)

    def _response(self, call: Call, response: Response) -> None:
        expected = call.response
        if expected is None:
            return
        self._same("response.status", expected.status, response.status_code)
        self._same("response.reason", expected.reason, response.reason)
        self._same("response.broken", expected.broken, response.broken)
        for name, one in expected.headers.items():
            self._text(f"response.headers.{name}", one, _header(response.headers.getall(name, ())))
        self._body("response", expected.json_, expected.body, response.content)

    def _requests(self, expected: Sequence[ExpectedRequest], actual: Sequence[Request]) -> None:
        if len(expected) != len(actual):
            seen = ", ".join(f"{one.method} {self._mask.url(one.url)} at {one.backend}" for one in actual)
            got = f"{_counted(len(actual), 'request')}: {seen}" if actual else "none"
            self._add("received", _counted(len(expected), "request"), got)
        for index, (wanted, request) in enumerate(zip(expected, actual, strict=False)):
            what = "received" if len(expected) == 1 else f"received[{index}]"
            self._same(f"{what}.backend", wanted.backend, request.backend)
            self._same(f"{what}.method", wanted.method, request.method)
            for name, matching, text in (("url", wanted.url, request.url), ("path", wanted.path, request.path)):
                if matching is not None:
                    self._text(f"{what}.{name}", matching, text)
            for name, values in wanted.query.items():
                self._values(f"{what}.query.{name}", values, request.params.get(name))
            for name, one in wanted.headers.items():
                self._text(f"{what}.headers.{name}", one, _header(request.headers.getall(name, ())))
            self._body(what, wanted.json_, wanted.body, request.content)
            if "certificate" in wanted.model_fields_set:
                presented = self._certificates.get(request.certificate or "", request.certificate)
                if presented != wanted.certificate:
                    self._add(f"{what}.certificate", wanted.certificate or ABSENT, presented or ABSENT)

    def _values(self, what: str, expected: Texts | None, actual: list[str] | None) -> None:
        if expected != actual:
            self._add(what, self._show(what, _one(expected)), self._show(what, _one(actual)))

    def _error(self, call: Call, response: Response) -> None:
        expected, actual = call.error, response.error
        if expected is None:
            return
        if actual is None:
            self._add("error", self._show("error", expected.reason or "an error"), ABSENT)
            return
        self._same("error.reason", expected.reason, actual.reason)
        self._same("error.source", expected.source, actual.source)
        if expected.message is not None:
            self._text("error.message", expected.message, actual.message)

    def _metrics(self, call: Call, response: Response) -> None:
        left = [
            {"name": one.name, "namespace": one.namespace, "value": one.value, "dimensions": dict(one.dimensions)}
            for one in response.metrics
        ]
        seen = self._show("metrics", left)
        wanted = [one.model_dump(exclude_unset=True) for one in call.metrics or ()]
        if not wanted and left:
            self._add("metrics", "none", seen)
        for index, one in enumerate(wanted):
            match = next((metric for metric in left if _within(one, metric)), None)
            if match is None:
                self._add(f"metrics[{index}]", self._show("metrics", one), seen if response.metrics else "none")
            else:
                left.remove(match)

    def _policies(self, expected: Sequence[ExpectedPolicy], spans: Sequence[Span]) -> None:
        rest = iter(spans)
        for index, wanted in enumerate(expected):
            if not any(_is(wanted, span) for span in rest):
                ran = ", ".join(f"{span.policy} ({span.section})" for span in spans) or "none"
                self._add(f"trace[{index}]", _described(wanted), ran)
                return


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number or 'no'} {what}s"


def _one(values: list[str] | None) -> object:
    return values[0] if values is not None and len(values) == 1 else values


def _header(values: Sequence[str]) -> str | None:
    return ", ".join(values) if values else None


def _plain(value: object) -> object:
    """Return the plain value of a variable: what an expression's JSON is as JSON, other objects as text."""
    if isinstance(value, JToken):
        return json.loads(write(value, indented=False))
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _masked(value: object, mask: Mask, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _masked(one, mask, str(key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, mask, name) for one in value]
    return mask.named(name, value) if isinstance(value, str) else value


def _within(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> bool:
    return all(
        _within(one, actual[name]) if isinstance(one, dict) else actual.get(name) == one
        for name, one in expected.items()
    )


def _spans(spans: Sequence[Span]) -> Iterator[Span]:
    for span in spans:
        yield span
        yield from _spans(span.children)


def _is(wanted: ExpectedPolicy, span: Span) -> bool:
    pairs = (wanted.policy, span.policy), (wanted.section, span.section), (wanted.scope, span.scope)
    return all(one in (None, other) for one, other in (*pairs, (wanted.id, span.policy_id)))


def _described(wanted: ExpectedPolicy) -> str:
    parts = [f"{name} {one}" for name, one in wanted.model_dump(exclude_none=True).items() if name != "policy"]
    return " ".join([wanted.policy, *([f"({', '.join(parts)})"] if parts else []), "to run there"])
