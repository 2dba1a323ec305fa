"""Token validation inside `choose`, for tokens of several issuers.

A branch that is not taken does not validate. So a validation may stand in a branch only if no call passes the `choose`
without one: each `when` begins with a validation and has no other, and what is left ends the call.
"""

from policies.choose import Choose
from policies.return_response import ReturnResponse
from policies.shared.policy import Policy
from policies.shared.token_validation import TokenValidation
from policies.validate_azure_ad_token import ValidateAzureAdToken
from policies.validate_jwt import ValidateJwt

VALIDATIONS = frozenset({ValidateAzureAdToken.tag, ValidateJwt.tag})


def chooses_validation(policy: Policy) -> bool:
    """Return whether a policy is a `choose` that every call leaves either validated once or answered."""
    if not isinstance(policy, Choose) or not policy.otherwise or not isinstance(policy.otherwise[0], ReturnResponse):
        return False
    return all(_validates_once(branch.policies) for branch in policy.when)


def _validates_once(branch: list[Policy]) -> bool:
    first = branch[0] if branch else None
    tags = [placement.tag for policy in branch for placement in policy.placements()]
    return isinstance(first, TokenValidation) and sum(tag in VALIDATIONS for tag in tags) == 1
