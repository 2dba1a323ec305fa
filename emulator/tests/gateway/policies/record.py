"""What the tests of this folder want to know of a policy: its `Record`, in the module of its name in `records`."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from lxml import etree

from apim_emulator.model import Product
from apim_emulator.testing import PolicyBench, Reply, Request, Response
from emulator.tests.gateway.policies.stand_ins import CHAT, SUBSCRIBED, model

Look = Callable[[Response], object]
"""Picks out of a response what shows that a policy worked."""
Sends = Callable[[PolicyBench], dict[str, Any]]
"""Gives the options of `PolicyBench.post` for a call of `/chat`; a chat is its body unless they name another."""


def sends(**options: Any) -> Sends:
    """Send the same with every call."""
    return lambda _: options


def presents_token(audience: str = "api://chat", age: float = 0) -> Sends:
    """Present a token of the tenant, issued `age` seconds ago."""
    return lambda bench: {"headers": {"Authorization": f"Bearer {bench.entra.token(audience, age=age)}"}}


def document(element: str, section: str = "inbound", before: str = "", after: str = "", on_error: str = "") -> str:
    """Put an element in a section, policies of inbound before it and of outbound after it."""
    found = {
        "inbound": f"<base/>{before}", "backend": "<base/>", "outbound": "<base/>", "on-error": f"<base/>{on_error}",
    }  # fmt: skip
    found[section] = element if section == "backend" else f"{found[section]}{element}"
    found["outbound"] += after
    return f"<policies>{''.join(f'<{name}>{inside}</{name}>' for name, inside in found.items())}</policies>"


@dataclass(frozen=True)
class Example:
    """A small, valid element with `id="me"`, and what is around it."""

    element: str
    """The policy, and beside it in its section what its effect needs."""
    _: KW_ONLY
    section: str = "inbound"
    scope: str = "api"
    """Scope of the document: `api` or `product`."""
    before: str = ""
    """Policies of inbound before it."""
    after: str = ""
    """Policies of outbound after it."""
    bench: Mapping[str, Any] = field(default_factory=dict)
    """Options of `PolicyBench`; the backend is `model` unless they name another."""
    call: Sends = field(default_factory=sends)

    def document(self, on_error: str = "") -> str:
        """Put it in a document."""
        return document(self.element, self.section, self.before, self.after, on_error)

    def load(self, **bench: Any) -> PolicyBench:
        """Load it; `bench` replaces options, and `backend` all backends that answer as `model` does."""
        options: dict[str, Any] = {"backend": model, **self.bench, **bench}
        if "backends" in options:
            named = options["backends"].items()
            options["backends"] = {name: options["backend"] if one is model else one for name, one in named}
        if self.scope == "product":
            product = Product(id="team", api_ids=frozenset({"policy"}), policy=self.document())
            return PolicyBench(**{**options, **SUBSCRIBED, "products": (product,)})
        return PolicyBench(self.document(), **options)

    def post(self, bench: PolicyBench, **options: Any) -> Response:
        """Call it with what it needs; `options` replace any of that."""
        return bench.post("/chat", **{"json": CHAT, **self.call(bench), **options})

    def changed(self, name: str, change: Callable[[Any], None]) -> "Example":
        """Change the first element of a name in `element`."""
        root = etree.fromstring(f"<root>{self.element}</root>")
        change(next(root.iter(name)))
        return replace(self, element="".join(etree.tostring(child, encoding="unicode") for child in root))

    def without(self, name: str) -> "Example":
        """Leave out the policy and keep all around it."""
        return self.changed(name, lambda element: element.getparent().remove(element))


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """A value that an attribute may have."""

    literal: str
    expression: str | None = None
    """An expression of the same value; None where none is allowed."""
    instead_of: str | None = None
    """Attribute of the example in whose place it stands."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """Attributes that have to be beside it."""


@dataclass(frozen=True)
class Call:
    """A call, and what is then seen."""

    seen: object
    _: KW_ONLY
    at: float = 0
    """Seconds after the bench was made."""
    sends: Sends = field(default_factory=sends)
    """In place of what the example's call has."""
    answers: tuple[Reply, ...] = ()
    """What the backend answers, one after another, before it answers as usual."""


@dataclass(frozen=True)
class Scenario:
    """Calls of one bench, one after another, and what `look` sees of each."""

    look: Look
    calls: tuple[Call, ...]
    _: KW_ONLY
    element: str | None = None
    """In place of the example's."""
    bench: Mapping[str, Any] = field(default_factory=dict)
    sends: Sends = field(default_factory=sends)
    """In place of what the example's call has; made once, at the time of the first call."""

    def responses(self, example: Example) -> list[Response]:
        """Make the calls."""
        if self.element is not None:
            example = replace(example, element=self.element)
        options: dict[str, Any] = {"backend": model, **example.bench, **self.bench}
        answers: list[Reply] = []

        def backend(request: Request) -> Any:
            return answers.pop(0) if answers else options["backend"](request)

        bench = example.load(**{**self.bench, "backend": backend})
        usual = {"json": CHAT, **example.call(bench), **self.sends(bench)}
        responses, now = [], 0.0
        for call in self.calls:
            bench.clock.advance(call.at - now)
            now, answers[:] = call.at, call.answers
            responses.append(bench.post("/chat", **{**usual, **call.sends(bench)}))
        return responses

    def seen(self, responses: list[Response]) -> list[object]:
        """Look at each; where there is nothing to look at, that is what is seen."""
        return [self._look(response) for response in responses]

    @property
    def expected(self) -> list[object]:
        """What is seen where the policy works."""
        return [call.seen for call in self.calls]

    def _look(self, response: Response) -> object:
        try:
            return self.look(response)
        except (LookupError, ValueError) as absent:
            return absent


@dataclass(frozen=True, kw_only=True)
class FailedCall:
    """A call that a policy fails."""

    status: int
    message: str
    """Of the body, `*` for any."""
    reason: str
    """`LastError.Reason`."""
    detail: str | None = None
    """`LastError.Message`, where it is not the message of the body; any where it has `*`."""
    phrase: str | None = None
    """Reason phrase, where it is not the usual one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    internal: bool = False
    """Whether the body names the activity."""
    element: str | None = None
    """In place of the example's."""
    path: str | None = None
    """`LastError.Path`, where it is not the policy alone."""
    bench: Mapping[str, Any] = field(default_factory=dict)
    call: Sends = field(default_factory=sends)
    """In place of what the example's call has."""
    before: int = 0
    """Calls before it, which pass."""
    forwards: bool = False
    """Whether the backend was called all the same."""


@dataclass(frozen=True)
class NeverFails:
    """A policy that fails no call."""

    why: str
    bench: Mapping[str, Any] = field(default_factory=dict)
    """What goes wrong around it."""


@dataclass(frozen=True)
class WholeResponse:
    """What a policy makes of a response in outbound that it reads to the end."""

    element: str
    becomes: Callable[[bytes], bytes] = lambda content: content


@dataclass(frozen=True)
class Record:
    """What the tests know of a policy."""

    policy: str
    """Name of its element."""
    example: Example
    _: KW_ONLY
    attributes: Mapping[str, Attribute]
    """Every attribute that it reads, `id` apart."""
    works: Scenario
    """Its effect, which nothing else has."""
    fails: Mapping[str, FailedCall] | NeverFails
    """Calls that it fails, by what is wrong."""
    other_forms: Mapping[str, str] = field(default_factory=dict)
    """Elements whose effect is the same, by what is other."""
    clock: Mapping[str, Scenario] = field(default_factory=dict)
    """What changes as time passes; without any, a call ten years later does the same."""
    calls_backend: bool = True
    """Whether a call with it reaches the backend, whose stream then passes part by part."""
    whole_response: WholeResponse | None = None
    """What it does in outbound, where that needs the whole response; by default it holds back no stream."""
