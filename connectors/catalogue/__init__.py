"""The catalogue: one manifest a system. `NAME.yaml` in this folder is the connector NAME."""
