"""Measurements, side by side in one run; a test asserts no time."""
