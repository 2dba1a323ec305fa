"""The commands of `apim-emulator`; imported only when they run."""
