"""What `quota` and `quota-by-key` have in common: a volume of calls, of bytes, or of both."""

from policies.checks import INT_MAX, LONG_MAX, check_range
from policies.errors import PolicyError


def check_volume(what: str, calls: int | None, bandwidth: int | None) -> None:
    """Refuse a quota of nothing, and one that no call could meet."""
    if calls is None and bandwidth is None:
        raise PolicyError(f"{what} has neither calls nor bandwidth; give one of them or both")
    check_range(f"{what} calls", calls, 1, INT_MAX)
    check_range(f"{what} bandwidth", bandwidth, 1, LONG_MAX, "kilobytes")
