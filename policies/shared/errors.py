"""The error of this package."""


class PolicyError(ValueError):
    """An option is not valid, or a policy is not allowed where it is."""
