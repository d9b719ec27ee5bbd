"""The read API, `/v1`: each module one part of it."""
