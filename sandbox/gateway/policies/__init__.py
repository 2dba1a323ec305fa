"""The policies that the gateway executes, one file each. `base` and `include-fragment` are read with the document."""

from sandbox.gateway.policies import (
    authentication_managed_identity,
    check_header,
    choose,
    forward_request,
    return_response,
    rewrite_uri,
    set_backend_service,
    set_header,
    set_query_parameter,
    set_variable,
    validate_azure_ad_token,
    validate_jwt,
)

POLICIES = {
    module.POLICY.name: module.POLICY
    for module in (
        authentication_managed_identity,
        check_header,
        choose,
        forward_request,
        return_response,
        rewrite_uri,
        set_backend_service,
        set_header,
        set_query_parameter,
        set_variable,
        validate_azure_ad_token,
        validate_jwt,
    )
}
"""By element name."""
