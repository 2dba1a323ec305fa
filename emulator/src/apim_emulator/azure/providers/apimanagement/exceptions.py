"""How API Management refuses."""

from apim_emulator.azure.exceptions import CodedError


class EnableClientCertificateCannotBeChangedForSkuError(CodedError):
    """A setting of client certificates that belongs to Consumption."""

    code = "EnableClientCertificateCannotBeChangedForSku"


class InvalidOperationError(CodedError):
    """Something in Key Vault that the service cannot read."""

    code = "InvalidOperation"


class NotSupportedError(CodedError):
    """Something that a pricing tier does not have."""

    code = "NotSupported"


class ServiceAlreadyExistsError(CodedError):
    """The name of a service that somebody in Azure has."""

    code = "ServiceAlreadyExists"


class ServiceAlreadyExistsInSoftDeletedStateError(CodedError):
    """The name of a soft-deleted service."""

    code = "ServiceAlreadyExistsInSoftDeletedState"


class ServiceUndeleteNotPossibleError(CodedError):
    """A restore of a service that was not deleted."""

    code = "ServiceUndeleteNotPossible"
