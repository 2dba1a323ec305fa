"""Policies of products."""

from apim_emulator.azure.providers.apimanagement import PRODUCT_POLICY
from apim_emulator.azure.providers.apimanagement.policy import policy_type

TYPE = policy_type(token=PRODUCT_POLICY, path="/products", names="productId")
