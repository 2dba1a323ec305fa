"""Failures that many policies share."""

from typing import Any

from emulator.tests.gateway.policies.record import FailedCall, sends

THROWS = '@((string)context.Variables["absent"])'
"""An expression that throws: the policies that never refuse by themselves fail with it."""
THROWING_CONDITION = f'@({THROWS[1:]} == "")'
DENIED = "Access denied."


def internal(reason: str, detail: str, **how: Any) -> FailedCall:
    """Make the 500 of the gateway's own errors."""
    return FailedCall(status=500, message="Internal server error", reason=reason, detail=detail, internal=True, **how)


def thrown(element: str, exception: str = "KeyNotFoundException", **how: Any) -> FailedCall:
    """Make the failure of an expression that throws."""
    detail = f"Expression evaluation failed. {exception}"
    return internal("ExpressionValueEvaluationFailure", detail, element=element, **how)


TOKENS = {
    "absent": FailedCall(
        status=401, message="JWT not present.", reason="TokenNotPresent", call=sends(headers={})
    ),
    "no token": FailedCall(
        status=401, message="Invalid JWT.", reason="JwtInvalid", detail="*",
        call=sends(headers={"Authorization": "Bearer abc"}),
    ),
}  # fmt: skip
"""Of the policies that validate a token."""
