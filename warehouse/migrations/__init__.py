"""Alembic migrations of the hub. Revisions are numbered; the definitions in `sql/definitions` are installed
after them.
"""
