"""What the stack exports of `infra.py`."""

import pulumi

import infra

pulumi.export("gatewayUrl", infra.gateway.gateway_url)
pulumi.export("url", infra.url)
pulumi.export("subscriptionKey", infra.chat.subscription_key)
