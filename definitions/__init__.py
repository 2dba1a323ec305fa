"""API definitions: our own for Azure OpenAI, and the requirements for a user's own. Standard library only."""

from definitions.azure_openai import VERSIONS, azure_openai, azure_openai_v1
from definitions.document import UNREACHABLE, DefinitionError, check_definition, operation_ids, without_server
from definitions.surface import Surface

__all__ = [
    "UNREACHABLE",
    "VERSIONS",
    "DefinitionError",
    "Surface",
    "azure_openai",
    "azure_openai_v1",
    "check_definition",
    "operation_ids",
    "without_server",
]
