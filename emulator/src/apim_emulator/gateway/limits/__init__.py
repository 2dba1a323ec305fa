"""Counting calls and tokens against rates and quotas."""
