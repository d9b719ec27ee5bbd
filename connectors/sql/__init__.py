"""SQL databases, by any SQLAlchemy URL."""
