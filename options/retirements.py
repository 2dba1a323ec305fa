"""When Microsoft retires the models of Azure OpenAI."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

AS_OF = date(2026, 9, 2)
"""Date of the "Model retirement schedule" of Microsoft from which `RETIREMENTS` is taken, for text and embeddings."""

NOTICE_DAYS = 90
"""Days before the retirement of a version from which it is warned about; Microsoft itself gives notice of 60 days."""

RETIREMENTS: Mapping[str, Mapping[str, str]] = {
    "gpt-4.1": {"2025-04-14": "2027-04-14"},
    "gpt-4.1-mini": {"2025-04-14": "2027-04-14"},
    "gpt-4.1-nano": {"2025-04-14": "2027-04-14"},
    "gpt-4o": {"2024-05-13": "2026-10-01", "2024-08-06": "2027-04-14", "2024-11-20": "2027-04-14"},
    "gpt-4o-mini": {"2024-07-18": "2027-04-14"},
    "gpt-5": {"2025-08-07": "2027-02-09"},
    "gpt-5-chat": {"2025-08-07": "2026-06-29", "2025-10-03": "2026-05-13"},
    "gpt-5-codex": {"2025-09-15": "2027-03-17"},
    "gpt-5-mini": {"2025-08-07": "2027-02-09"},
    "gpt-5-nano": {"2025-08-07": "2027-02-09"},
    "gpt-5-pro": {"2025-10-06": "2027-04-07"},
    "gpt-5.1": {"2025-11-13": "2027-05-15"},
    "gpt-5.1-chat": {"2025-11-13": "2026-06-29"},
    "gpt-5.1-codex": {"2025-11-13": "2027-05-15"},
    "gpt-5.1-codex-max": {"2025-12-04": "2027-05-18"},
    "gpt-5.1-codex-mini": {"2025-11-13": "2027-05-15"},
    "gpt-5.2": {"2025-12-11": "2027-06-08"},
    "gpt-5.2-chat": {"2025-12-11": "2026-05-13", "2026-02-10": "2026-06-29"},
    "gpt-5.2-codex": {"2026-01-14": "2027-07-13"},
    "gpt-5.3-chat": {"2026-03-03": "2026-06-29"},
    "gpt-5.3-codex": {"2026-02-24": "2027-08-24"},
    "gpt-5.4": {"2026-03-05": "2027-09-02"},
    "gpt-5.4-mini": {"2026-03-17": "2027-09-21"},
    "gpt-5.4-nano": {"2026-03-17": "2027-09-21"},
    "gpt-5.4-pro": {"2026-03-05": "2027-09-07"},
    "gpt-5.5": {"2026-04-24": "2027-10-26"},
    "gpt-5.6-luna": {"2026-07-09": "2028-01-11"},
    "gpt-5.6-sol": {"2026-07-09": "2028-01-11"},
    "gpt-5.6-terra": {"2026-07-09": "2028-01-11"},
    "o1": {"2024-12-17": "2026-10-21"},
    "o3": {"2025-04-16": "2026-10-21"},
    "o3-mini": {"2025-01-31": "2026-10-01"},
    "o4-mini": {"2025-04-16": "2026-10-16"},
    "text-embedding-3-large": {"1": "2028-02-09"},
    "text-embedding-3-small": {"1": "2028-02-09"},
    "text-embedding-ada-002": {"1": "2028-02-09", "2": "2028-02-09"},
}
"""Day on which a version is retired, by model and version. Microsoft changes these days, mostly to later ones."""


def retirement(model: str, version: str | None) -> date | None:
    """Return the day on which a version is retired, or, if it is None, the day of the model's last version.

    None: the schedule does not list it, perhaps because the model is newer.
    """
    versions = RETIREMENTS.get(model, {})
    day = versions.get(version) if version is not None else max(versions.values(), default=None)
    return None if day is None else date.fromisoformat(day)


def today() -> date:
    """Return the current date in UTC."""
    return datetime.now(UTC).date()
