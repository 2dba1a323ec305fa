"""Test cases as YAML beside a policy, for people who write no Python; see docs/testing-policies.md."""
