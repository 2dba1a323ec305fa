"""`llm-token-limit` and `azure-openai-token-limit`: refuse calls beyond a rate or quota of tokens for each key."""

from dataclasses import dataclass

from apim_emulator.csharp import Type
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.limits.counters import RateCounter, is_v2, short
from apim_emulator.gateway.limits.outputs import Output, output
from apim_emulator.gateway.limits.quota_counter import QuotaCounter, WindowOf, calendar, in_words, seconds_left
from apim_emulator.gateway.llm.token_usage import PROMPT_TYPES, Consumption, prompt_estimate
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note

_MINUTE = 60
_MAX_RATE = 2**31 - 1
_MAX_QUOTA = 2**63 - 1
_PERIODS = ("Indefinite", "Hourly", "Daily", "Weekly", "Monthly", "Yearly")


@dataclass(frozen=True, slots=True)
class _Rate:
    """Tokens per minute."""

    limit: Value[int]
    least: int
    """Room that a call needs even where its prompt is not estimated: a token bucket may be emptied exactly."""
    retry: Output
    remaining: Output

    def check(self, exchange: Exchange, key: str, needed: int) -> None:
        counter, now, limit = self._counter(exchange, key)
        allowed = limit - max(needed, self.least)
        used = counter.used(now, limit, _MINUTE)
        if used > allowed:
            note("refused: {} of {} tokens a minute are used by key {}, this call needs {}", int(used), limit, key,
                 max(needed, self.least))  # fmt: skip
            seconds = counter.wait(allowed, now, limit, _MINUTE) if allowed >= 0 else None
            told = "" if seconds is None else f" Try again in {seconds} seconds."
            refusal = Failure(429, f"Token limit is exceeded.{told}", "OpenAITokenLimitExceeded")
            raise _after(refusal, seconds, exchange, self.retry)

    def count(self, exchange: Exchange, key: str, tokens: int) -> None:
        counter, now, limit = self._counter(exchange, key)
        counter.add(tokens, now, limit, _MINUTE)

    def report(self, exchange: Exchange, key: str) -> None:
        counter, now, limit = self._counter(exchange, key)
        left = max(0, int(limit - counter.used(now, limit, _MINUTE)))
        note("key {} has {} of {} tokens a minute left", key, left, limit)
        self.remaining.report(exchange, left)

    def _counter(self, exchange: Exchange, key: str) -> tuple[RateCounter, float, int]:
        services = exchange.services
        return services.counters.rates["tokens", key], services.clock.now(), self.limit(exchange.context)


@dataclass(frozen=True, slots=True)
class _Quota:
    """Tokens in a period of the calendar."""

    limit: Value[int]
    period: str
    windows: WindowOf
    retry: Output
    remaining: Output

    def check(self, exchange: Exchange, key: str, needed: int) -> None:
        """Refuse a call once more than the quota is spent; what is spent exactly is not exceeded."""
        now = exchange.services.clock.now()
        window = self.windows(now)
        used, limit = self._counter(exchange, key).used("tokens", window), self.limit(exchange.context)
        if used + needed > limit:
            note("refused: {} of {} tokens are used by key {}, this call needs {}", used, limit, key, needed)
            seconds = seconds_left(window, now)
            told = "" if seconds is None else f" Try again in {in_words(seconds)}."
            refusal = Failure(403, f"Token quota is exceeded.{told}", "OpenAITokenQuotaExceeded")
            raise _after(refusal, seconds, exchange, self.retry)

    def count(self, exchange: Exchange, key: str, tokens: int) -> None:
        window = self.windows(exchange.services.clock.now())
        self._counter(exchange, key).add("tokens", tokens, window)

    def report(self, exchange: Exchange, key: str) -> None:
        now = exchange.services.clock.now()
        window, limit = self.windows(now), self.limit(exchange.context)
        left = max(0, limit - self._counter(exchange, key).used("tokens", window))
        note("key {} has {} of {} tokens left, renewed in {} s", key, left, limit, seconds_left(window, now))
        self.remaining.report(exchange, left)

    def _counter(self, exchange: Exchange, key: str) -> QuotaCounter:
        return exchange.services.counters.quotas["tokens", key, self.period]


def _compile(element: Element, site: Site) -> Run:
    retry = output(element, "retry-after", "Retry-After")
    consumed = output(element, "tokens-consumed")
    limits = _limits(element, site, retry)
    counter_key = element.text("counter-key")
    if not element.has("estimate-prompt-tokens"):
        element.refuse("attribute is missing", "estimate-prompt-tokens")
    estimate = element.flag("estimate-prompt-tokens", default=False)
    prompt_type = element.choice("prompt-type", PROMPT_TYPES, "auto")
    ignore_prompt = element.flag("ignore-prompt", default=False)

    async def run(exchange: Exchange) -> None:
        """Check the limits now, and count when the consumption is known; a stream's is always estimated."""
        key = short(counter_key(exchange.context))
        request = await exchange.read_prompt()
        prompt = prompt_estimate(request, prompt_type)
        needed = prompt if (estimate or request.get("stream") is True) and not ignore_prompt else 0
        consumed.keep(exchange, needed if estimate else 0)
        note("the prompt is estimated at {} tokens, {} are reserved now", prompt, needed)

        def report() -> None:
            for limit in limits:
                limit.report(exchange, key)

        def count(consumption: Consumption) -> None:
            tokens = consumption.streamed or consumption.best
            spent = tokens.completion if ignore_prompt else tokens.total
            how = "reported" if consumption.reported and consumption.streamed is None else "estimated"
            note("{} counts {} tokens for key {}, {}", element.node.name, spent, key, how)
            for limit in limits:
                limit.count(exchange, key, spent)
            consumed.keep(exchange, spent)
            # The headers of a stream are gone by the time that its tokens are known.
            if consumption.streamed is None:
                consumed.report(exchange, spent)
                report()

        try:
            for limit in limits:
                limit.check(exchange, key, needed)
        finally:
            report()
        exchange.watch_tokens(prompt).tell(count)

    return run


def _limits(element: Element, site: Site, retry: Output) -> list[_Rate | _Quota]:
    limits: list[_Rate | _Quota] = []
    rate, quota = output(element, "remaining-tokens"), output(element, "remaining-quota-tokens")
    if element.has("tokens-per-minute"):
        limit = element.integer("tokens-per-minute", 1, _MAX_RATE)
        limits.append(_Rate(limit, 0 if is_v2(site.sku) else 1, retry, rate))
    period = element.choice("token-quota-period", _PERIODS, "Indefinite")
    if element.has("token-quota"):
        if element.is_int("token-quota"):
            element.refuse("an expression must be of type long: cast it with (long)", "token-quota")
        most = element.integer("token-quota", 1, _MAX_QUOTA, result=Type.LONG)
        limits.append(_Quota(most, period, calendar(period), retry, quota))
    elif element.has("token-quota-period"):
        element.refuse("needs token-quota", "token-quota-period")
    if not limits:
        element.refuse("needs tokens-per-minute, token-quota or both")
    return limits


def _after(refusal: Failure, seconds: int | None, exchange: Exchange, retry: Output) -> Failure:
    """Tell in how many seconds to try again, where waiting helps."""
    if seconds is not None:
        retry.keep(exchange, seconds)
        refusal.headers = {retry.header or "Retry-After": str(seconds)}
    return refusal


POLICY = Policy("llm-token-limit", _compile, sections=("inbound",), missing_in=("Consumption",))
AZURE_OPENAI = Policy("azure-openai-token-limit", _compile, sections=("inbound",), missing_in=("Consumption",))
