"""Airflow DAGs made from `config/`: modules named `onefold_*` are DAG files, the others are what they share."""
