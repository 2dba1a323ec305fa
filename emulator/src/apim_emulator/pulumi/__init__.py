"""The sandbox under the real Pulumi engine: its cloud behind stand-ins for the provider plugins."""
