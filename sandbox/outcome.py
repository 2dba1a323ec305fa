"""What came of a call of the demo."""


class Outcome:
    """A call with what was expected of it."""

    __slots__ = ()

    expected: str
    got: str

    @property
    def passed(self) -> bool:
        """Whether the call had the expected outcome."""
        return self.got == self.expected
