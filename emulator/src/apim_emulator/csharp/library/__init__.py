"""The allow-list: every member that an expression may use, in tables by area."""
