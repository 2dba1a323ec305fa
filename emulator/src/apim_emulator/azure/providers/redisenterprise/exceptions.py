"""How Azure Managed Redis refuses."""

from apim_emulator.azure.exceptions import CodedError


class BadRequestError(CodedError):
    """Something that a cluster or a database cannot be or do."""

    code = "BadRequest"
