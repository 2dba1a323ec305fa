"""The HTTP ends of the gateway: the server that callers reach, and what goes to backends and back."""
