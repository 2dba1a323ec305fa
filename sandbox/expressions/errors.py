"""The two ways in which an expression fails: when it is loaded, and when it is evaluated."""


class ExpressionError(ValueError):
    """An expression that is not loaded: not C#, or not surely evaluated as C# would."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        """Tell the reason and the place, both counted from 1 at the expression's `@`."""
        super().__init__(f"line {line}, column {column} of the expression: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


class EvaluationError(Exception):
    """An exception that the expression throws; carries the .NET type and never a value."""

    def __init__(self, exception: str, detail: str = "") -> None:
        """Name the .NET exception type, such as `KeyNotFoundException`."""
        super().__init__(f"{exception}: {detail}" if detail else exception)
        self.exception = exception
