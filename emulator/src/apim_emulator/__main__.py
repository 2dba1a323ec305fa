"""The command line, as `python -m apim_emulator`."""

from apim_emulator.cli.main import main

if __name__ == "__main__":
    main()
