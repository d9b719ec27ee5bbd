"""What Singer taps and Airbyte sources have in common: a package in an environment of its own, run as a subprocess."""
