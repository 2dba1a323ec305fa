"""Azure OpenAI accounts and their model deployments (Microsoft.CognitiveServices)."""

ACCOUNT = "azure-native:cognitiveservices:Account"
DEPLOYMENT = "azure-native:cognitiveservices:Deployment"

PATH = "Microsoft.CognitiveServices/accounts"
"""ARM type of an account."""

OPENAI_ENDPOINT = "OpenAI Language Model Instance API"
"""Name of the endpoint of Azure OpenAI among those of a Foundry resource."""
