from emulator.tests.gateway.policies.attributes import BY_KEY, RATE, literal
from emulator.tests.gateway.policies.record import Example, FailedCall, Record
from emulator.tests.gateway.policies.scenarios import ends_after, refills, turns_away

RECORD = Record(
    "rate-limit-by-key",
    Example('<rate-limit-by-key id="me" calls="1" renewal-period="60" counter-key="k"/>', bench={"sku": "Developer"}),
    attributes={**RATE, **BY_KEY, "increment-after-response": literal("true")},
    works=turns_away(429),
    fails={
        "calls": FailedCall(
            status=429,
            message="Rate limit is exceeded. Try again in 60 seconds.",
            reason="RateLimitExceeded",
            detail="Rate limit is exceeded",
            headers={"Retry-After": "60"},
            before=1,
        ),
    },
    clock={
        "limit is over when it says": ends_after(60, 429),
        "bucket of a v2 tier refills evenly": refills(
            '<rate-limit-by-key calls="6" renewal-period="60" counter-key="k"/>', calls=6, seconds=10
        ),
    },
)
