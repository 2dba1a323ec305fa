"""Azure's resource providers, and the Pulumi providers that are none of Resource Manager's: a package each.

A package names its types, and has a file for each of them; `apim_emulator.azure.registry` finds what a file declares as
`ResourceType` or `Function`.
"""
