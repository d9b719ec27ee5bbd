"""A whole run in stages, each over parts of the register: what does not fit into memory, or not onto one machine.

Every stage calls on its parts the functions that the run in memory calls of the whole; a calculator (DuckDB here, Spark
on many machines) only brings together what belongs together.
"""
