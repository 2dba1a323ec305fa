"""What a resource provider declares, and what the control plane does with it."""

from apim_emulator.azure.resource_types.arm_type import (
    Complete,
    arm_type,
    auto_name,
    described,
    existing,
    get_function,
    resource_group,
)
from apim_emulator.azure.resource_types.resource_type import (
    Function,
    Replaces,
    ResourceType,
    SoftDelete,
    always,
    immutable_type,
    once_set,
    required_text,
)
from apim_emulator.azure.resource_types.shape import Shape, Text

__all__ = [
    "Complete",
    "Function",
    "Replaces",
    "ResourceType",
    "Shape",
    "SoftDelete",
    "Text",
    "always",
    "arm_type",
    "auto_name",
    "described",
    "existing",
    "get_function",
    "immutable_type",
    "once_set",
    "required_text",
    "resource_group",
]
