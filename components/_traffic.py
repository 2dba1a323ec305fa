"""How an API's policy sends calls to the accounts: what the API's options and the circuit breakers say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components._backends import openai_accounts
from components._inputs import raise_mistakes, read_options, surface_of
from components._routes import Route, routes_of
from options import BreakerOptions, ModelOptions, PolicyOptions, RetryOptions, Surface
from options.breaker import seconds
from options.models import check_models
from options.policy import check_streams
from options.retry import MOST, check_retry_in_use


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """How calls are sent to the accounts."""

    breaker: BreakerOptions = field(default_factory=BreakerOptions)
    """Circuit breaker of the accounts in a pool."""
    retry: RetryOptions = field(default_factory=RetryOptions)
    """Attempts on other accounts of the pool."""

    timeout: int | None = None
    """Seconds to wait for an account's answer to begin. None: what the gateway waits by itself."""
    models: Sequence[ModelOptions] = ()
    """Models that are offered. Empty: all."""
    routes: Sequence[Route] = ()
    """Accounts by deployment, where they serve different models. Empty: a call can go to any account."""
    include_usage: bool = False
    """Whether streams of chat end with the tokens that they used."""
    by_body: bool = False
    """Whether the body names the model, as on the v1 surface, and not the path."""

    @property
    def trip_seconds(self) -> int:
        """Seconds for which an account is not called if it sends no `Retry-After`."""
        return seconds(self.breaker.trip)

    def retries(self, accounts: int) -> int:
        """Return how many of several accounts are tried after the first."""
        return min(accounts - 1, MOST) if self.retry.count is None else self.retry.count


DEFAULT = Traffic()


def api_traffic(args: Mapping[str, Any], *, own_backends: bool = False) -> Traffic:
    """Return how an API sends its calls, from its inputs `breaker`, `retry`, `timeout`, `models` and `include_usage`.

    Calls go where their deployment is if the API has a backend for each: one that it is given, or its `own_backends`.

    Raises:
        pulumi.RunError: The options have mistakes; all of them are listed.

    """
    breaker, retry = args.get("breaker"), args.get("retry")
    if retry is not None:
        retry = read_options(RetryOptions, retry, "retry")
        raise_mistakes(mistake.under("retry") for mistake in check_retry_in_use(retry, len(args["accounts"])))
    models = [read_options(ModelOptions, model, f"models[{i}]") for i, model in enumerate(args.get("models") or ())]
    if args.get("models") is not None:
        raise_mistakes(mistake.under("models") for mistake in check_models(models))
    if args.get("include_usage") and args.get("policy") is not None:
        raise_mistakes(check_streams(read_options(PolicyOptions, args["policy"], "policy")))
    by_deployment = args.get("deployment_backend_ids")
    return Traffic(
        breaker=BreakerOptions() if breaker is None else read_options(BreakerOptions, breaker, "breaker"),
        retry=retry or RetryOptions(),
        timeout=None if args.get("timeout") is None else int(args["timeout"]),
        models=models,
        routes=routes_of(openai_accounts(args["accounts"])) if own_backends or by_deployment else (),
        include_usage=bool(args.get("include_usage")),
        by_body=surface_of(args) is Surface.V1,
    )
