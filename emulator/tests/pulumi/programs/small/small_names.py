def subdomain(owner: str) -> str:
    """Subdomain of an owner's account."""
    return f"oai-{owner}"
