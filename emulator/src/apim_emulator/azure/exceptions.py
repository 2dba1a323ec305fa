"""How the control plane refuses."""

NOT_FOUND = "ResourceNotFound"


class CloudError(Exception):
    """A request that Azure would refuse, with Azure Resource Manager's error code where one is documented."""

    code: str

    def __init__(self, code: str, message: str, target: str | None = None, *, retry_after: float | None = None) -> None:
        """Refuse with a code such as `ResourceNotFound`, a sentence for people and the property or ID it is about.

        `retry_after` is the header Retry-After of `TooManyRequests`, in seconds.
        """
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.target = target
        self.retry_after = retry_after


class CodedError(CloudError):
    """A refusal whose class states the code; each provider has its own in `exceptions.py`."""

    def __init__(self, message: str, target: str | None = None) -> None:
        """Refuse with a sentence for people and the property or ID it is about."""
        super().__init__(self.code, message, target)


class ValidationError(CodedError):
    """A request whose content is wrong."""

    code = "ValidationError"


class ResourceNotFoundError(CodedError):
    """A reference to what does not exist."""

    code = NOT_FOUND

    def __init__(self, kind: str, name: str, target: str | None = None) -> None:
        """Name the kind of resource and the one that was looked for."""
        super().__init__(f"{kind} {name!r} was not found", target)


class ConflictError(CodedError):
    """An ID that is taken."""

    code = "Conflict"


class ParentResourceNotFoundError(CodedError):
    """A resource below one that does not exist."""

    code = "ParentResourceNotFound"


class ResourceGroupNotFoundError(CodedError):
    """A resource in a group that does not exist."""

    code = "ResourceGroupNotFound"


class SubscriptionNotFoundError(CodedError):
    """A subscription that the deployer cannot see."""

    code = "SubscriptionNotFound"


class LocationRequiredError(CodedError):
    """A resource without the region that it is to be in."""

    code = "LocationRequired"


class InvalidResourceTypeError(CodedError):
    """A resource type that no provider has."""

    code = "InvalidResourceType"


class InvalidRequestError(CodedError):
    """A function that is not modelled."""

    code = "InvalidRequest"


class PropertyChangeNotAllowedError(CodedError):
    """A change that needs a new resource."""

    code = "PropertyChangeNotAllowed"
