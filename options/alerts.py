"""Who is told when something goes wrong, and what counts as wrong."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from options.defaulted import Defaulted
from options.mistakes import Mistake
from options.rules import Rules, distinct, matches, number


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertOptions:
    """Who is told when something goes wrong, and what counts as wrong."""

    email: Defaulted[list[str]] = field(default_factory=list)
    """Addresses that get a mail when an alert fires, and when it is over. An action group is created for them."""
    action_group: str | None = None
    """Resource ID of an action group that is told too. Defaults to none."""
    throttled: Defaulted[int] = 10
    """Percentage of an API's calls answered 429, within 15 minutes, above which an alert fires. Defaults to 10."""
    unauthorized: Defaulted[int] = 50
    """Calls of an API answered 401, within 15 minutes and for the same reason, above which an alert fires. Defaults to
    50."""
    backend_errors: Defaulted[int] = 5
    """Percentage of an API's calls for which Azure OpenAI failed or was not reached, within 15 minutes, above which an
    alert fires. Defaults to 5."""
    quota_left: Defaulted[int] = 10
    """Percentage of a token quota below which an alert fires when no more is left. Defaults to 10."""


_percentage = number(0, 100, "a percentage from 0 to 100")
VALUES: Rules = {
    "email": (distinct,),
    "email.*": (matches(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+", "an email address, such as ops@contoso.com"),),
    "action_group": (
        matches(
            r"(?i)/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Insights/actionGroups/[^/]+",
            "the resource ID of an action group: "
            "/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Insights/actionGroups/NAME",
        ),
    ),
    "throttled": (_percentage,),
    "unauthorized": (number(0, None, "a number of calls, from 0"),),
    "backend_errors": (_percentage,),
    "quota_left": (_percentage,),
}


def check_alerts(alerts: AlertOptions) -> Iterator[Mistake]:
    """Yield alerts that nobody gets."""
    if not alerts.email and alerts.action_group is None:
        problem = "tells nobody; give {0} or {1}, or remove it"
        yield Mistake(key=(), problem=problem, about=(("email",), ("action_group",)))


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenQuota:
    """A token quota of an API's callers, which responses tell in a header."""

    api_id: str
    """Identifier of the API on the service."""
    header: str
    """Response header that says how many tokens are left."""
    amount: int
    """Tokens in its period."""
    product_id: str | None = None
    """Identifier of the product whose callers have it. Defaults to all callers."""


QUOTA: Rules = {"amount": (number(1, None, "a whole number from 1"),)}
