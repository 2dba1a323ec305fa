"""How API Management refuses."""

from apim_emulator.azure.exceptions import CodedError


class ActivateServiceWithPrivateEndpointAccessNotAllowedError(CodedError):
    """A new service without public access."""

    code = "ActivateServiceWithPrivateEndpointAccessNotAllowed"


class DisablingPublicNetworkAccessRequiredPrivateEndpointError(CodedError):
    """A service that nothing would reach any more."""

    code = "DisablingPublicNetworkAccessRequiredPrivateEndpoint"


class EnableClientCertificateCannotBeChangedForSkuError(CodedError):
    """A setting of client certificates that belongs to Consumption."""

    code = "EnableClientCertificateCannotBeChangedForSku"


class InvalidOperationError(CodedError):
    """Something in Key Vault that the service cannot read."""

    code = "InvalidOperation"


class ManagingVirtualNetworkConfigurationNotSupportedError(CodedError):
    """A virtual network that a pricing tier does not have."""

    code = "ManagingVirtualNetworkConfigurationNotSupported"


class NotSupportedError(CodedError):
    """Something that a pricing tier does not have."""

    code = "NotSupported"


class PrivateEndpointNotSupportedInServiceSkuError(CodedError):
    """A private endpoint for a service whose pricing tier takes none."""

    code = "PrivateEndpointNotSupportedInServiceSku"


class ServiceAlreadyExistsError(CodedError):
    """The name of a service that somebody in Azure has."""

    code = "ServiceAlreadyExists"


class ServiceAlreadyExistsInSoftDeletedStateError(CodedError):
    """The name of a soft-deleted service."""

    code = "ServiceAlreadyExistsInSoftDeletedState"


class ServiceUndeleteNotPossibleError(CodedError):
    """A restore of a service that was not deleted."""

    code = "ServiceUndeleteNotPossible"


class VirtualNetworkSubnetHasIncorrectDelegationError(CodedError):
    """A subnet that is not delegated as the service needs it."""

    code = "VirtualNetworkSubnetHasIncorrectDelegation"
