"""How managed identities are refused."""

from apim_emulator.azure.exceptions import CodedError


class FailedIdentityOperationError(CodedError):
    """A user-assigned identity that does not exist."""

    code = "FailedIdentityOperation"
