"""Served views as files: Parquet, CSV and Excel, whole or by what changed."""
