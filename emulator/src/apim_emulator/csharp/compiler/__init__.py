"""Expressions from syntax tree to closures."""
