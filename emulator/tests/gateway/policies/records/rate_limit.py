from emulator.tests.gateway.policies.attributes import RATE, literal
from emulator.tests.gateway.policies.record import Example, FailedCall, Record, sends
from emulator.tests.gateway.policies.scenarios import ends_after, refills, turns_away
from emulator.tests.gateway.policies.stand_ins import KEY

RECORD = Record(
    "rate-limit",
    Example(
        '<rate-limit id="me" calls="1" renewal-period="60"/>',
        scope="product",
        bench={"sku": "Developer"},
        call=sends(headers={"Ocp-Apim-Subscription-Key": KEY}),
    ),
    attributes={name: literal(attribute.literal) for name, attribute in RATE.items()},
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
            '<rate-limit calls="6" renewal-period="60"/>', calls=6, seconds=10
        ),
    },
)
