"""Files: CSV, JSON lines, JSON, Excel and Parquet."""
