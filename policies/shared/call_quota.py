"""What `quota` and `quota-by-key` share: a limit on calls, on bandwidth, or on both."""

from policies.shared.checks import INT_MAX, LONG_MAX, check_range
from policies.shared.errors import PolicyError


def check_volume(what: str, calls: int | None, bandwidth: int | None) -> None:
    """Refuse a quota without a limit, and one that allows no call."""
    if calls is None and bandwidth is None:
        raise PolicyError(f"{what} has neither calls nor bandwidth; give one of them or both")
    check_range(f"{what} calls", calls, 1, INT_MAX)
    check_range(f"{what} bandwidth", bandwidth, 1, LONG_MAX, "kilobytes")
