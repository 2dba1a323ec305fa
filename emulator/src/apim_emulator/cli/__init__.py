"""The commands of `apim-emulator`; imported only when they run."""

__all__ = ["instructions", "main", "program", "session", "terminal", "token", "trace"]
