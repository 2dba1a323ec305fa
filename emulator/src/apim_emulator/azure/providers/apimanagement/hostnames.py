"""Custom names of a service, and the certificates that it fetches from Key Vault for them."""

from copy import deepcopy

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement.exceptions import InvalidOperationError
from apim_emulator.azure.providers.apimanagement.key_vault_secrets import readable_secret
from apim_emulator.azure.providers.managedidentity.identities import identities
from apim_emulator.azure.state import Properties, Resource, State

_SECRETS = ("certificatePassword", "encodedCertificate")
_MSI = "Managed Service Identity (http://aka.ms/apimmsi)"


def configure_hostnames(state: State, service: Resource) -> None:
    """Fetch the certificates of a new or changed service's custom names, and put its names into the outputs.

    The name in `azure-api.net` stays ("Configure a custom domain name").
    """
    given = service.inputs.get("hostnameConfigurations") or ()
    for index, hostname in enumerate(given):
        _check_certificate(state, service, hostname, f"hostnameConfigurations[{index}]")
    builtin = {
        "type": "Proxy",
        "hostName": f"{service.name.lower()}.azure-api.net",
        "certificateSource": "BuiltIn",
        "defaultSslBinding": not any(hostname.get("defaultSslBinding") for hostname in given),
        "negotiateClientCertificate": False,
    }
    own = [
        {key: deepcopy(value) for key, value in hostname.items() if key not in _SECRETS}
        for hostname in given
        if hostname.get("certificateSource") != "BuiltIn"
    ]
    service.outputs["hostnameConfigurations"] = [builtin, *own]


def _check_certificate(state: State, service: Resource, hostname: Properties, target: str) -> None:
    source = hostname.get("certificateSource")
    identifier = hostname.get("keyVaultId")
    if identifier is None:
        if not hostname.get("encodedCertificate") and source not in {"BuiltIn", "Managed"}:
            raise ValidationError(f"{target} has no certificate; give keyVaultId or encodedCertificate", target)
        return
    if "/secrets/" not in identifier:
        # The words are those of azurerm #3635.
        raise ValidationError("ApiManagement service only accepts KeyVault Secrets type.", f"{target}.keyVaultId")
    client_id = hostname.get("identityClientId")
    kind = "System Assigned" if client_id is None else "User Assigned"
    reader = next(
        (
            identity
            for identity in identities(state, service)
            if (identity.system_assigned if client_id is None else identity.client_id == client_id)
        ),
        None,
    )
    # The words and the code are those of answers to azurerm's `api_management_custom_domain`.
    if reader is None:
        raise InvalidOperationError(
            f"{_MSI} type: {kind} which is required to access KeyVault {identifier} is not enabled on the API "
            "Management service.",
            f"{target}.identityClientId",
        )
    secret, _ = readable_secret(state, service, identifier, reader, f"{target}.keyVaultId")
    if secret.outputs["properties"].get("contentType") != "application/x-pkcs12":
        raise ValidationError(
            f"{target}.keyVaultId: the secret {secret.name!r} is no certificate; its content type must be "
            "application/x-pkcs12",
            f"{target}.keyVaultId",
        )
