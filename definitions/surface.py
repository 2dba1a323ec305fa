"""The surfaces of Azure OpenAI: the dated API and the v1 API."""

from enum import StrEnum


class Surface(StrEnum):
    """API of Azure OpenAI that is published."""

    DATED = "dated"
    """Deployment in the path, version of the REST API in the query; clients: `AzureOpenAI`."""
    V1 = "v1"
    """Model in the body, no version; clients: `OpenAI` with a `base_url`."""

    @property
    def path(self) -> str:
        """Path of the surface below an account's host, without slashes at the ends."""
        return "openai" if self is Surface.DATED else "openai/v1"
