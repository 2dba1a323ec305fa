"""How the control plane refuses."""


class CloudError(Exception):
    """A request that Azure would refuse, with Azure Resource Manager's error code where one is documented."""

    def __init__(self, code: str, message: str, target: str | None = None, *, retry_after: float | None = None) -> None:
        """Refuse with a code such as `ResourceNotFound`, a sentence for people and the property or ID it is about.

        `retry_after` is the header Retry-After of `TooManyRequests`, in seconds.
        """
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.target = target
        self.retry_after = retry_after


def invalid(message: str, target: str | None = None) -> CloudError:
    """Refuse a request whose content is wrong."""
    return CloudError("ValidationError", message, target)


def not_found(kind: str, name: str, target: str | None = None) -> CloudError:
    """Refuse a reference to what does not exist."""
    return CloudError("ResourceNotFound", f"{kind} {name!r} was not found", target)
