"""How private DNS refuses."""

from apim_emulator.azure.exceptions import CodedError


class BadRequestError(CodedError):
    """A link that would give a network two zones for one name."""

    code = "BadRequest"


class CannotDeleteResourceError(CodedError):
    """A zone with links."""

    code = "CannotDeleteResource"


class LocationNotAvailableError(CodedError):
    """A region for what is in none."""

    code = "LocationNotAvailableForResourceType"
