"""Policy documents: rendering, the order and availability of policies, and reading documents and hooks as text."""
