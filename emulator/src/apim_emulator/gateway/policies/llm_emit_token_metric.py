"""`llm-emit-token-metric` and `azure-openai-emit-token-metric`: report how many tokens a call consumed."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from apim_emulator.gateway.dimensions import Dimensions, filled
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.llm.token_usage import Consumption, Tokens, prompt_estimate
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.telemetry import DEFAULT_NAMESPACE, Metric

_METRICS: Mapping[str, tuple[str, Callable[[Tokens], int]]] = {
    "total-tokens": ("Total Tokens", lambda tokens: tokens.total),
    "prompt-tokens": ("Prompt Tokens", lambda tokens: tokens.prompt),
    "completion-tokens": ("Completion Tokens", lambda tokens: tokens.completion),
}


def _compile(element: Element, _site: Site) -> Run:
    namespace = element.literal("namespace", DEFAULT_NAMESPACE) or DEFAULT_NAMESPACE
    name = element.literal("name")
    wanted = element.choice("value-type", ("all", *_METRICS), "all")
    ignore_prompt = element.flag("ignore-prompt", default=False)
    dimensions = Dimensions(element)
    kinds = [kind for value_type, kind in _METRICS.items() if wanted in {"all", value_type}]

    async def run(exchange: Exchange) -> None:
        """Send the metrics when the consumption is known: of a stream, its usage event's or an estimate."""
        evaluated = dimensions.named(exchange)

        def emit(consumption: Consumption) -> None:
            tokens = replace(consumption.best, prompt=0) if ignore_prompt else consumption.best
            # Without a success there is nothing to report (inferred).
            if consumption.best == Tokens():
                return
            for default, count in kinds:
                value, own = float(count(tokens)), filled(evaluated, exchange)
                exchange.metrics.append(Metric(namespace, name or default, value, own))

        prompt = prompt_estimate(await exchange.read_prompt())
        exchange.watch_tokens(prompt).tell(emit)

    return run


POLICY = Policy("llm-emit-token-metric", _compile, sections=("inbound",))
AZURE_OPENAI = Policy("azure-openai-emit-token-metric", _compile, sections=("inbound",))
