"""`llm-content-safety`: refuses prompts and answers that Azure AI Content Safety finds harmful or cannot check."""

from collections.abc import Callable
from dataclasses import dataclass

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.backends.call import BackendCallError
from apim_emulator.gateway.backends.targets import Target
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.http.bodies import decoded
from apim_emulator.gateway.llm.model_text import Json, completion_text, prompt_text, read_object
from apim_emulator.gateway.llm.safety_check import LONGEST_TEXT, Check, guarded, windows
from apim_emulator.gateway.llm.token_usage import is_event_stream
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element, Value, leaf
from apim_emulator.gateway.loading.policy import Policy, Run, Site, deferred
from apim_emulator.gateway.witness import note

_CATEGORIES = ("Hate", "SelfHarm", "Sexual", "Violence")
_OUTPUT_TYPES = ("FourSeverityLevels", "EightSeverityLevels")
_RESPONSE_WINDOW = 1_000
_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Rules:
    backend: Callable[[Context], Target]
    output_type: Value[str]
    categories: list[tuple[Value[str], Value[int]]]
    blocklists: list[Value[str]]

    def check(self, exchange: Exchange) -> Check:
        """Evaluate the expressions for one call."""
        context = exchange.context
        return Check(
            exchange,
            self.backend(context),
            self.output_type(context),
            {name(context): threshold(context) for name, threshold in self.categories},
            tuple(blocklist(context) for blocklist in self.blocklists),
        )


def _compile(element: Element, site: Site) -> Run:
    rules = _rules(element, site)
    shield = element.boolean("shield-prompt", default=False)
    enforce = element.boolean("enforce-on-completions", default=False)
    size = element.integer("window-size", 1, _MAX, default=_RESPONSE_WINDOW)
    overlap = element.integer("window-overlap-size", 0, _MAX, default=0)
    location = site.location(element)

    async def check_response(exchange: Exchange) -> None:
        context, response = exchange.context, exchange.response
        if not 200 <= response.status < 300:
            return
        check, window, shared = rules.check(exchange), size(context), overlap(context)
        if shared >= window:
            raise EvaluationError("ArgumentOutOfRangeException")
        if response.stream is not None and is_event_stream(response.headers):
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise _refused()
            response.headers.popall("Content-Length", None)
            response.stream = guarded(response.stream, check.is_safe, window, shared)
            return
        for part in windows(await _answer(exchange), window, shared):
            if part:
                await _demand(check, part)

    async def check_prompt(exchange: Exchange) -> None:
        request = await _prompt(exchange)
        text = prompt_text(request)
        # What is not understood is not checked, and what is not checked does not pass (inferred).
        if len(text) > LONGEST_TEXT or (not request and await exchange.read_request()):
            note("not checked, so it may not pass: {} characters of text, {} are the most", len(text), LONGEST_TEXT)
            raise _refused()
        if text:
            await _demand(rules.check(exchange), text, shield=shield(exchange.context))
        if enforce(exchange.context):
            exchange.on_response.append(deferred(check_response, location))

    return check_prompt if site.section == "inbound" else check_response


async def _prompt(exchange: Exchange) -> Json:
    try:
        return await exchange.read_prompt()
    except Failure as failure:
        raise (_refused() if failure.status == 413 else failure) from None


async def _answer(exchange: Exchange) -> str:
    """Return the text of an answer that is not a stream of events: a model's, else that of a body of text."""
    headers = exchange.response.headers
    try:
        body = decoded(await exchange.read_response(), headers)
        answer = read_object(body)
    except ValueError:
        raise _refused() from None
    if answer or not headers.get("Content-Type", "").lower().startswith("text/"):
        return completion_text(answer)
    return body.decode(errors="replace")


async def _demand(check: Check, text: str, *, shield: bool = False) -> None:
    try:
        safe = await check.is_safe(text, shield=shield)
    except BackendCallError as error:
        note("no verdict, so it may not pass: {}", str(error))
        safe = False
    if not safe:
        raise _refused()


def _refused() -> Failure:
    """Make the refusal (inferred: its reason)."""
    return Failure(403, "Request failed content safety check.", "ContentSafetyCheckFailed")


def _rules(element: Element, site: Site) -> _Rules:
    categories = element.child("categories")
    blocklists = element.child("blocklists")
    output_type: Value[str] = lambda _: _OUTPUT_TYPES[0]  # noqa: E731 - the default of a value
    listed: list[tuple[Value[str], Value[int]]] = []
    if categories is not None:
        own = Element(categories)
        output_type = own.word("output-type", _OUTPUT_TYPES, _OUTPUT_TYPES[0])
        listed = [_category(node) for node in own.children("category")]
        if not listed:
            categories.refuse("needs at least one category")
        own.done()
    ids: list[Value[str]] = []
    if blocklists is not None:
        own = Element(blocklists)
        ids = [leaf(node, strip=True) for node in own.children("id")]
        own.done()
    return _Rules(_backend(element, site), output_type, listed, ids)


def _category(node: Node) -> tuple[Value[str], Value[int]]:
    own = Element(node)
    found = own.word("name", _CATEGORIES), own.integer("threshold", 0, 7)
    own.done()
    return found


def _backend(element: Element, site: Site) -> Callable[[Context], Target]:
    name = element.text("backend-id")
    literal = None if element.computed("backend-id") else element.literal("backend-id")
    if literal is not None and literal not in site.backends:
        element.refuse("backend does not exist", "backend-id")

    def find(context: Context) -> Target:
        found = site.backends.get(name(context))
        if found is None:
            raise EvaluationError("KeyNotFoundException")
        return found

    return find


POLICY = Policy(
    "llm-content-safety",
    _compile,
    sections=(
        "inbound",
        "outbound",
    ),
    scopes=(
        "global",
        "product",
        "api",
    ),
)
