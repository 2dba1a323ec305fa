"""A program that asks for providers at versions of its own, beside those of the installed SDKs."""

import pulumi
from pulumi_azure_native import resources
from pulumi_random import RandomString

VERSIONS = (None, "3.28.0", "3.99.1", "4.0.0-alpha.1")

groups = [
    resources.ResourceGroup(f"group-{index}", opts=pulumi.ResourceOptions(version=version))
    for index, version in enumerate(VERSIONS)
]
suffix = RandomString("suffix", length=8, opts=pulumi.ResourceOptions(version="4.0.0"))
