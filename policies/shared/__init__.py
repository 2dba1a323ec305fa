"""What several policies share: the base classes, checks of options, and options that more than one policy has."""
