"""Azure on a laptop: a control plane for the program and a gateway that runs the policies it deployed."""

from apim_emulator.cli import program

program.use("sandbox")
