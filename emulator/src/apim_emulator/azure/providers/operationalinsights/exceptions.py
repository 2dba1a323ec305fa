"""How Log Analytics refuses."""

from apim_emulator.azure.exceptions import CodedError


class InvalidParameterError(CodedError):
    """A value out of its range."""

    code = "InvalidParameter"


class WorkspaceNameNotUniqueError(CodedError):
    """The name of a workspace that was deleted elsewhere (MicrosoftDocs/azure-docs #41719)."""

    code = "Conflict"
