"""The commands of `apim-emulator`; imported only when they run."""

__all__ = ["documents", "instructions", "main", "program", "session", "terminal", "token", "trace"]
