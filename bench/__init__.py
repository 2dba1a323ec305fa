"""Benchmarks, which compare subjects in one run; no test asserts a time."""
