"""A service as people keep it in a repository: the layout of Azure/apiops, or the same with fewer files."""
