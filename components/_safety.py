"""Where an API checks content: once the caller is known and within its limits, before the hook and the model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pulumi

from components._inputs import raise_mistakes, read_options
from options import SafetyOptions
from options.safety import check_safety_tier
from policies import HarmCategory, LlmContentSafety, Policy, SafetyCategory


@dataclass(frozen=True, kw_only=True, slots=True)
class Safety:
    """What an API checks, and the backend that checks it."""

    options: SafetyOptions | None = None
    backend_id: pulumi.Input[str] = "-"

    def policies(self, sku: str | None, backend_id: str) -> list[Policy]:
        """Return the policies: one, and another for each further blocklist, as the schema allows one a policy.

        Raises:
            pulumi.RunError: The service's pricing tier `sku` has no such policies.

        """
        options = self.options
        if options is None:
            return []
        if sku is not None:
            raise_mistakes(check_safety_tier(("safety",), sku, ("sku",)))
        checks = LlmContentSafety(
            backend_id=backend_id,
            shield_prompt=options.shield_prompt or None,
            enforce_on_completions=options.enforce_on_completions or None,
            window_size=options.window.size if options.window else None,
            window_overlap_size=options.window.overlap if options.window else None,
            output_type=options.output_type,
            categories=[
                SafetyCategory(name=HarmCategory(name), threshold=severity)
                for name, severity in options.categories.items()
            ],
            blocklist_ids=options.blocklists[:1],
        )
        others = [
            replace(checks, shield_prompt=None, output_type=None, categories=[], blocklist_ids=[blocklist])
            for blocklist in options.blocklists[1:]
        ]
        return [checks, *others]


NO_SAFETY = Safety()


def api_safety(args: Mapping[str, Any]) -> Safety:
    """Return what an API checks, from its inputs `safety` and `safety_backend_id`.

    Raises:
        pulumi.RunError: The options have mistakes, or one of the two inputs is missing.

    """
    given, backend_id = args.get("safety"), args.get("safety_backend_id")
    if given is None:
        return NO_SAFETY
    options = read_options(SafetyOptions, given, "safety")
    if options.account is not None:
        raise pulumi.RunError("safety.account: belongs to ContentSafety, which makes the backend; remove it here")
    if backend_id is None:
        raise pulumi.RunError("safety: needs safety_backend_id, such as ContentSafety.backend_id; give both or neither")
    return Safety(options=options, backend_id=backend_id)
