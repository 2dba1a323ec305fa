"""What people do to a stack that is in use: `python -m operations`."""
