"""The error of a policy that cannot be rendered as asked."""


class PolicyError(ValueError):
    """An option that no valid policy can carry, or a policy where it may not stand."""
