"""Singer taps as connectors."""
