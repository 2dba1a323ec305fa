from emulator.tests.gateway.policies.attributes import literal, number, text
from emulator.tests.gateway.policies.record import Attribute, Example, FailedCall, Record
from emulator.tests.gateway.policies.scenarios import ends_after, refills, turns_away


def _record(name: str) -> Record:
    return Record(
        name,
        Example(
            f'<{name} id="me" counter-key="k" tokens-per-minute="10" estimate-prompt-tokens="false"/>',
            bench={"sku": "Developer"},
        ),
        attributes={
            "counter-key": text("k"),
            "tokens-per-minute": number(10),
            "token-quota": literal("100"),
            "token-quota-period": Attribute(literal="Daily", needs={"token-quota": "100"}),
            "estimate-prompt-tokens": literal("false"),
            "prompt-type": literal("auto"),
            "ignore-prompt": literal("true"),
            "retry-after-header-name": literal("X-Retry"),
            "retry-after-variable-name": literal("retry"),
            "remaining-tokens-header-name": literal("X-Left"),
            "remaining-tokens-variable-name": literal("left"),
            "remaining-quota-tokens-header-name": literal("X-Quota"),
            "remaining-quota-tokens-variable-name": literal("quota"),
            "tokens-consumed-header-name": literal("X-Used"),
            "tokens-consumed-variable-name": literal("used"),
        },
        works=turns_away(429),
        fails={
            "rate": FailedCall(
                status=429,
                message="Token limit is exceeded. Try again in 60 seconds.",
                reason="OpenAITokenLimitExceeded",
                headers={"Retry-After": "60"},
                before=1,
            ),
            "quota": FailedCall(
                status=403,
                message="Token quota is exceeded. Try again in 46 minutes and 40 seconds.",
                reason="OpenAITokenQuotaExceeded",
                headers={"Retry-After": "2800"},
                before=1,
                element=f'<{name} id="me" counter-key="k" token-quota="10" token-quota-period="Hourly" '
                'estimate-prompt-tokens="false"/>',
            ),
        },
        clock={
            "limit is over when it says": ends_after(60, 429),
            # 15 tokens a call; one more passes while what is used does not exceed the limit.
            "bucket of a v2 tier refills evenly": refills(
                f'<{name} counter-key="k" tokens-per-minute="60" estimate-prompt-tokens="false"/>',
                calls=5,
                seconds=15,
            ),
        },
    )


RECORD, AZURE_OPENAI = _record("llm-token-limit"), _record("azure-openai-token-limit")
