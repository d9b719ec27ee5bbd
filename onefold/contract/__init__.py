"""What is made of the served contract for those who read it: a dictionary, dbt sources, Metabase metadata, queries."""
