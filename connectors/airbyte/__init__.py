"""Airbyte sources as connectors."""
