"""Azure on a laptop: a control plane for the program and a gateway that runs the policies it deployed."""
