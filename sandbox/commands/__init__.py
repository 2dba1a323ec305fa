"""The commands of `python -m sandbox`; each is imported only when it runs, since Pulumi is slow to import."""
