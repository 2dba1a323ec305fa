"""How Azure RBAC refuses."""

from apim_emulator.azure.exceptions import CodedError


class InvalidRoleAssignmentIdError(CodedError):
    """A name that is not a GUID."""

    code = "InvalidRoleAssignmentId"


class PrincipalNotFoundError(CodedError):
    """A principal that the tenant does not have."""

    code = "PrincipalNotFound"


class RoleAssignmentExistsError(CodedError):
    """A role that the principal has on the scope already."""

    code = "RoleAssignmentExists"


class RoleDefinitionDoesNotExistError(CodedError):
    """A role that is not among the built-in ones."""

    code = "RoleDefinitionDoesNotExist"


class UnmatchedPrincipalTypeError(CodedError):
    """A principal of another type."""

    code = "UnmatchedPrincipalType"
