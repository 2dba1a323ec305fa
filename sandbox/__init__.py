"""Runs the program on a laptop: deploys it to a model of Azure, and serves the policies that it deployed."""

from apim_emulator.cli import program

program.use("sandbox")
