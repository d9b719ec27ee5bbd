"""`onefold try`: what the pipeline makes of a few files, before anything is configured.

The rules are those of a hub: a configuration is written from what the files seem to hold, connectors read, the mapping
maps, identity standardises, trains, resolves and chooses golden values. Only nothing is stored: all happens in memory.
"""
