"""How Cognitive Services refuses."""

from apim_emulator.azure.exceptions import CodedError


class BadRequestError(CodedError):
    """An operation that the account has turned off."""

    code = "BadRequest"


class CanNotRestoreANonExistingResourceError(CodedError):
    """A restore of an account that was not deleted."""

    code = "CanNotRestoreANonExistingResource"


class CustomDomainInUseError(CodedError):
    """A subdomain that another account has."""

    code = "CustomDomainInUse"


class DeploymentModelNotSupportedError(CodedError):
    """A model, or a version of it, that cannot be deployed."""

    code = "DeploymentModelNotSupported"


class FlagMustBeSetForRestoreError(CodedError):
    """The name of a soft-deleted account."""

    code = "FlagMustBeSetForRestore"


class InvalidCapacityError(CodedError):
    """A capacity that no deployment can have."""

    code = "InvalidCapacity"


class InvalidKindError(CodedError):
    """A kind of account that is not modelled."""

    code = "InvalidKind"


class InvalidResourcePropertiesError(CodedError):
    """A deployment that an account cannot have."""

    code = "InvalidResourceProperties"
