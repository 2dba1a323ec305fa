from emulator.tests.gateway.policies.attributes import literal
from emulator.tests.gateway.policies.record import Example, FailedCall, Record, sends
from emulator.tests.gateway.policies.scenarios import ends_after, turns_away
from emulator.tests.gateway.policies.stand_ins import KEY

RECORD = Record(
    "quota",
    Example(
        '<quota id="me" calls="1" renewal-period="3600"/>',
        scope="product",
        bench={"sku": "Developer"},
        call=sends(headers={"Ocp-Apim-Subscription-Key": KEY}),
    ),
    attributes={"calls": literal("1"), "bandwidth": literal("10"), "renewal-period": literal("3600")},
    works=turns_away(403),
    fails={
        "calls": FailedCall(
            status=403,
            message="Out of call volume quota. Quota will be replenished in 01:00:00.",
            reason="QuotaExceeded",
            headers={"Retry-After": "3600"},
            before=1,
        ),
    },
    clock={"limit is over when it says": ends_after(3600, 403)},
)
