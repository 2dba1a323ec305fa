"""Counts what attacks came to; `pytest -s` shows the counts."""

from dataclasses import dataclass, field


@dataclass
class Tally:
    """What became of a list of attacks."""

    what: str
    tried: int = 0
    through: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    upstream_calls: int = 0

    def note(self, name: str, *, through: bool, crashed: bool, upstream_calls: int) -> None:
        """Count one attack."""
        self.tried += 1
        self.through += [name] * through
        self.crashes += [name] * crashed
        self.upstream_calls += upstream_calls

    def check(self, at_least: int) -> None:
        """Print the counts and demand that nothing got through, in a list that did not shrink."""
        found = (len(self.through), len(self.crashes), self.upstream_calls)
        text = f"{self.what}: {self.tried} tried, {found[0]} through, {found[1]} crashes, {found[2]} upstream calls"
        print(f"\n{text}")  # noqa: T201 - the counts are what people want to see
        assert (self.through, self.crashes, self.upstream_calls) == ([], [], 0)
        assert self.tried >= at_least
