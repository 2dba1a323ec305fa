"""API definitions: our own for Azure OpenAI, and the requirements for a user's own. Standard library only."""

from definitions.azure_openai import VERSIONS, azure_openai
from definitions.document import UNREACHABLE, DefinitionError, check_definition, without_server

__all__ = ["UNREACHABLE", "VERSIONS", "DefinitionError", "azure_openai", "check_definition", "without_server"]
