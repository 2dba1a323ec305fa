"""Serves the components to programs in any Pulumi language: `pulumi package add <this folder>`."""

import sys
from pathlib import Path

# Python adds only the folder that it runs to the path.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi.provider import main

from components import (
    Alerts,
    ApiClient,
    ApiGateway,
    ContentSafety,
    EntraProtectedApi,
    KeyAuthApi,
    ManagedIdentityApi,
    Observability,
    OpenAIBackend,
    PrivateNetwork,
    SemanticCache,
    Team,
    Workbook,
    __version__,
)
from components._host import ComponentHost

COMPONENTS: list[type] = [
    PrivateNetwork,
    ApiGateway,
    OpenAIBackend,
    ContentSafety,
    SemanticCache,
    KeyAuthApi,
    ManagedIdentityApi,
    EntraProtectedApi,
    Team,
    ApiClient,
    Observability,
    Alerts,
    Workbook,
]

if __name__ == "__main__":
    main(ComponentHost(COMPONENTS, "openai-gateway", version=__version__), sys.argv[1:])
