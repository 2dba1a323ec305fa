"""What callers may spend: the limits of an API, as policies that run once the caller is known.

Each gateway counts for itself. A counter's key begins with the API, what is counted and who shares it, so that no two
limits have a counter in common; for each key the gateway has one counter, whichever policies name it
("llm-token-limit", counter-key).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components._caller import CALLER, MODEL, REFUSE_UNKNOWN_CALLER, SET_MODEL, TokenCaller
from components._inputs import raise_mistakes, read_options
from options import LimitOptions, LimitPer, QuotaPeriod, TokenPolicies
from options.limits import (
    Counted,
    check_limits_in_use,
    check_limits_tier,
    remaining_header,
    smallest_amounts,
    words,
)
from policies import (
    AzureOpenAITokenLimit,
    Choose,
    Dimension,
    EmitMetric,
    LlmTokenLimit,
    Policy,
    RateLimitByKey,
    TokenQuotaPeriod,
    Trace,
    TraceSeverity,
    When,
)
from policies.shared.checks import INT_MAX

_SOURCE = "openai-gateway"
_SHADOW_METRIC = "Calls beyond a shadow limit"
_NEVER_REFUSED = 10**15
"""Tokens of a quota that no one uses up within a year, which counts without refusing."""
_TOKEN_LIMITS: Mapping[TokenPolicies, type[LlmTokenLimit]] = {
    TokenPolicies.LLM: LlmTokenLimit,
    TokenPolicies.AZURE_OPENAI: AzureOpenAITokenLimit,
}
_SHARED_BY: Mapping[LimitPer, str | None] = {
    LimitPer.SUBSCRIPTION: "context.Subscription.Id",
    LimitPer.CALLER: f'(string)context.Variables["{CALLER}"]',
    # A subscription to the API itself belongs to no product; all of those share one amount.
    LimitPer.PRODUCT: '(context.Product == null ? "" : context.Product.Id)',
    LimitPer.MODEL: f'(string)context.Variables["{MODEL}"]',
    LimitPer.API: None,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The limits of an API."""

    api: str = ""
    """Identifier of the API, or of the team's product, unique within the service."""
    team: bool = False
    """Whether they are the limits of a team, on all of its APIs together."""
    limits: Sequence[LimitOptions] = ()
    token_policies: TokenPolicies = TokenPolicies.LLM
    caller: TokenCaller | None = None
    """How the validated token names the caller; None: no token is validated."""

    @property
    def by_token(self) -> bool:
        """Whether a limit counts by the validated token."""
        return any(limit.per is LimitPer.CALLER for limit in self.limits)

    @property
    def by_model(self) -> bool:
        """Whether a limit counts by the model."""
        return any(limit.per is LimitPer.MODEL for limit in self.limits)

    def policies(self, sku: str | None) -> list[Policy]:
        """Return the policies, those that refuse before those that only report.

        Raises:
            pulumi.RunError: The service's pricing tier `sku` has no such policies.

        """
        if sku is not None:
            raise_mistakes(check_limits_tier(self.limits, ("limits",), sku, ("sku",)))
        smallest = smallest_amounts(self.limits)
        return [*self._known_first(), *self._refusing(smallest), *self._reporting(smallest, sku)]

    def _known_first(self) -> Iterator[Policy]:
        """Yield what sets the variables that keys have, and refuses a token that names no caller."""
        if self.by_token and self.caller is not None:
            yield from self.caller.set_caller()
        if any(limit.per is LimitPer.CALLER and not limit.shadow for limit in self.limits):
            yield REFUSE_UNKNOWN_CALLER
        if self.by_model:
            yield SET_MODEL

    def _refusing(self, smallest: Mapping[Counted, tuple[int, bool]]) -> Iterator[Policy]:
        """Yield the limits that refuse calls: first those on requests, which do not read the prompt."""
        consumed: str | None = "x-ratelimit-consumed-tokens"
        kinds = sorted(smallest, key=lambda counted: counted.unit != "requests")
        for counted in kinds:
            amount, estimate = smallest[counted]
            if counted.shadow:
                continue
            key, remaining = self._key(counted), remaining_header(counted, team=self.team)
            if counted.unit == "requests":
                yield RateLimitByKey(
                    calls=amount,
                    renewal_period=60,
                    counter_key=key,
                    remaining_calls_header_name=remaining,
                    total_calls_header_name=f"x-ratelimit-limit-{words(counted, team=self.team)}",
                )
            elif counted.period is None:
                yield _TOKEN_LIMITS[self.token_policies](
                    counter_key=key,
                    tokens_per_minute=amount,
                    estimate_prompt_tokens=estimate,
                    remaining_tokens_header_name=remaining,
                    tokens_consumed_header_name=consumed,
                )
                consumed = None
            else:
                yield _TOKEN_LIMITS[self.token_policies](
                    counter_key=key,
                    token_quota=amount,
                    token_quota_period=TokenQuotaPeriod(counted.period.value),
                    estimate_prompt_tokens=estimate,
                    remaining_quota_tokens_header_name=remaining,
                    tokens_consumed_header_name=consumed,
                )
                consumed = None

    def _reporting(self, smallest: Mapping[Counted, tuple[int, bool]], sku: str | None) -> Iterator[Policy]:
        """Yield the limits in shadow: one that is never used up counts, and what is left of it tells how much.

        Where rates are those of the last 60 seconds, a rate counts a rate. The v2 tiers count them in token buckets,
        and one so large is full again in a moment: a quota counts there, and where the tier is not known.
        """
        rolling = sku is not None and not sku.endswith("V2")
        limit = _TOKEN_LIMITS[self.token_policies]
        for counted, (amount, _) in smallest.items():
            if not counted.shadow:
                continue
            left = f"openai-gateway-shadow-{words(counted, team=self.team)}"
            if counted.period is None and rolling:
                most = INT_MAX
                yield limit(
                    counter_key=self._key(counted),
                    tokens_per_minute=most,
                    estimate_prompt_tokens=False,
                    remaining_tokens_variable_name=left,
                )
            else:
                most = _NEVER_REFUSED
                yield limit(
                    counter_key=self._key(counted, by_minute=counted.period is None),
                    token_quota=most,
                    token_quota_period=TokenQuotaPeriod((counted.period or QuotaPeriod.HOURLY).value),
                    estimate_prompt_tokens=False,
                    remaining_quota_tokens_variable_name=left,
                )
            used = f'{most}L - long.Parse(context.Variables["{left}"].ToString())'
            every = "a minute" if counted.period is None else counted.period.lower()
            name = f"{amount} tokens {every} per {counted.per}" + (f" of team {self.api}" if self.team else "")
            yield Choose(
                when=[
                    When(
                        condition=f'@(context.Variables.ContainsKey("{left}") && {used} >= {amount}L)',
                        policies=[
                            EmitMetric(
                                name=_SHADOW_METRIC,
                                dimensions=[Dimension(name="API ID"), Dimension(name="Limit", value=name)],
                            ),
                            Trace(
                                source=_SOURCE,
                                severity=TraceSeverity.INFORMATION,
                                message=f"A limit of {name} would have refused this call.",
                                metadata={"limit": name, "used": f"@(({used}).ToString())"},
                            ),
                        ],
                    )
                ]
            )

    def _key(self, counted: Counted, *, by_minute: bool = False) -> str:
        """Return the counter's key; `by_minute`, it is another one in each minute of the clock."""
        shadow = "/shadow" if counted.shadow else ""
        # A colon is in the name of no API, so that an API and a team of one name have no counter in common.
        prefix = f"openai-gateway/{'team:' if self.team else ''}{self.api}{shadow}/{words(counted)}"
        minute = 'context.Timestamp.ToString("yyyyMMddHHmm")' if by_minute else None
        shared_by = "context.Api.Id" if self.team and counted.per is LimitPer.API else _SHARED_BY[counted.per]
        joined = ' + "/" + '.join(part for part in (minute, shared_by) if part is not None)
        return f'@("{prefix}/" + {joined})' if joined else prefix


NO_LIMITS = Limits()


def api_limits(
    name: str, args: Mapping[str, Any], *, caller: TokenCaller | None, subscription_required: bool
) -> Limits:
    """Return the limits of the API `name`, from its inputs `limits` and `token_policies`.

    Raises:
        pulumi.RunError: The options have mistakes; all of them are listed.

    """
    limits = [read_options(LimitOptions, limit, f"limits[{i}]") for i, limit in enumerate(args.get("limits") or ())]
    raise_mistakes(
        check_limits_in_use(
            limits, ("limits",), (), by_token=caller is not None, subscription_required=subscription_required
        )
    )
    return Limits(
        api=args.get("name_prefix", "") + name,
        limits=limits,
        token_policies=TokenPolicies(args.get("token_policies") or TokenPolicies.LLM),
        caller=caller,
    )
