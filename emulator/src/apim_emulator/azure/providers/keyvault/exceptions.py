"""How Key Vault refuses."""

from apim_emulator.azure.exceptions import CodedError


class BadParameterError(CodedError):
    """A secret without its value."""

    code = "BadParameter"


class BadRequestError(CodedError):
    """A vault that the resource provider does not take."""

    code = "BadRequest"


class ForbiddenError(CodedError):
    """An operation of the data plane that the caller may not do."""

    code = "Forbidden"


class MethodNotAllowedError(CodedError):
    """A purge of a vault that has purge protection."""

    code = "MethodNotAllowed"


class SecretDeletedError(CodedError):
    """The name of a soft-deleted secret."""

    code = "Conflict"


class SoftDeletedVaultDoesNotExistError(CodedError):
    """A recovery of a vault that was not deleted."""

    code = "SoftDeletedVaultDoesNotExist"


class VaultAlreadyExistsError(CodedError):
    """The name of a vault that somebody in Azure has."""

    code = "VaultAlreadyExists"


class VaultDeletedError(CodedError):
    """The name of a soft-deleted vault."""

    code = "ConflictError"
