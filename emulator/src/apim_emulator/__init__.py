"""Runs and tests Azure API Management policies on a laptop."""

__version__ = "0.1.0"
