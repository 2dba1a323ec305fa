from emulator.tests.gateway.policies.attributes import BY_KEY, literal
from emulator.tests.gateway.policies.record import Example, FailedCall, Record
from emulator.tests.gateway.policies.scenarios import ends_after, turns_away

RECORD = Record(
    "quota-by-key",
    Example('<quota-by-key id="me" calls="1" renewal-period="3600" counter-key="k"/>', bench={"sku": "Developer"}),
    attributes={
        **BY_KEY,
        "calls": literal("1"),
        "bandwidth": literal("10"),
        "renewal-period": literal("3600"),
        "first-period-start": literal("2020-01-01T00:00:00Z"),
    },
    works=turns_away(403),
    fails={
        "calls": FailedCall(
            status=403,
            message="Out of call volume quota. Quota will be replenished in 00:46:40.",
            reason="QuotaExceeded",
            headers={"Retry-After": "2800"},
            before=1,
        ),
    },
    # A window begins with the hour, and the bench's clock stands at 22:13:20.
    clock={"limit is over when it says": ends_after(2800, 403)},
)
