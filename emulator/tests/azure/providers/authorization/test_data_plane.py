from emulator.tests.azure.azure import OPENAI_USER, SECRETS_USER, Azure


def _principal(azure: Azure) -> str:
    return azure.cloud.gateways()[0].identities[0].principal_id


def test_a_role_counts_on_its_scope_and_below_and_nowhere_else(azure: Azure) -> None:
    account_id, _ = azure.account("oai")
    other_id, _ = azure.account("oai-2")
    principal = azure.identity()[1]["principalId"]
    assignment_id, _ = azure.role(principal, account_id, OPENAI_USER)

    assert azure.cloud.has_role(principal.upper(), OPENAI_USER.upper(), account_id.upper())
    assert azure.cloud.has_role(principal, OPENAI_USER, f"{account_id}/deployments/gpt-4o")
    assert not azure.cloud.has_role(principal, OPENAI_USER, other_id)
    assert not azure.cloud.has_role(principal, SECRETS_USER, account_id)
    assert not azure.cloud.has_role(azure.cloud.deployer_object_id, OPENAI_USER, account_id)

    azure.cloud.delete(assignment_id)

    assert not azure.cloud.has_role(principal, OPENAI_USER, account_id)


def test_managed_identities_have_a_tenant_and_nobody_else(azure: Azure) -> None:
    azure.service()
    _, identity = azure.identity()

    assert azure.cloud.identity_tenant(identity["principalId"]) == azure.cloud.tenant_id
    assert azure.cloud.identity_tenant(_principal(azure)) == azure.cloud.tenant_id
    assert azure.cloud.identity_tenant(azure.cloud.deployer_object_id) is None
