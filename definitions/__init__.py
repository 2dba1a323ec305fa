"""API definitions: our own of Azure OpenAI, and what one of the user's must be. Standard library only."""

from definitions.azure_openai import VERSIONS, azure_openai
from definitions.document import UNREACHABLE, DefinitionError, check, closed

__all__ = ["UNREACHABLE", "VERSIONS", "DefinitionError", "azure_openai", "check", "closed"]
