"""Runs and tests Azure API Management policies on a laptop."""
