"""A stand-in for Azure OpenAI: accounts, model deployments and the operations of its data plane."""

from apim_emulator.services.azure_openai.authentication import OPENAI_CONTRIBUTOR, OPENAI_USER
from apim_emulator.services.azure_openai.service import API_VERSIONS, MAX_BODY, REMEMBERED, AzureOpenAI, Received

__all__ = ["API_VERSIONS", "MAX_BODY", "OPENAI_CONTRIBUTOR", "OPENAI_USER", "REMEMBERED", "AzureOpenAI", "Received"]
