"""How Azure Monitor refuses."""

from apim_emulator.azure.exceptions import CodedError


class BadRequestError(CodedError):
    """A diagnostic setting, an action group or a rule that makes no sense."""

    code = "BadRequest"
