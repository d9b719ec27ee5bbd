"""Segments by needs: the computation, on columns. It opens no connection and reads no configuration."""
