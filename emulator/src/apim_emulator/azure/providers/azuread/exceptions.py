"""How Microsoft Graph refuses."""

from apim_emulator.azure.exceptions import CodedError


class BadRequestError(CodedError):
    """A request that Microsoft Graph does not take."""

    code = "Request_BadRequest"


class InvalidValueError(CodedError):
    """A value that refers to nothing."""

    code = "InvalidValue"


class MultipleObjectsWithSameKeyValueError(CodedError):
    """A second object where there can be one alone."""

    code = "Request_MultipleObjectsWithSameKeyValue"


class AuthorizationRequestDeniedError(CodedError):
    """Something that the deployer may not do, in Microsoft Graph's words (403)."""

    code = "Authorization_RequestDenied"

    def __init__(self, target: str) -> None:
        """Say the property or ID that it is about."""
        super().__init__("Insufficient privileges to complete the operation.", target)


class ObjectNotFoundError(CodedError):
    """A reference to what is not in the directory."""

    code = "Request_ResourceNotFound"

    def __init__(self, kind: str, name: str, target: str) -> None:
        """Name the kind of object and the one that was looked for."""
        super().__init__(f"{kind} {name!r} does not exist in the directory", target)


class ReferencedObjectNotFoundError(CodedError):
    """A reference, in the object itself, to what is not in the directory."""

    code = "Request_ResourceNotFound"

    def __init__(self, object_id: str, target: str) -> None:
        """Name the object that was looked for."""
        super().__init__(
            f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present.",
            target,
        )
