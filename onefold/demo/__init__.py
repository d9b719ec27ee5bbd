"""The fictional company «Северная линия»: five registers with planted truth, that change when asked to.

world = generate(folder, seed=7)            # registers, truth.csv, documents.csv, world.json
with crm_server(folder, token) as server:   # server.url
    ...
    changes = change(folder, seed=7)        # the served CRM follows at once
"""

from onefold.demo.change import Change, Changes, change
from onefold.demo.crm_server import CrmServer, crm_server
from onefold.demo.generate import generate
from onefold.demo.world import Plot, Story, World, load_world

__all__ = [
    "Change",
    "Changes",
    "CrmServer",
    "Plot",
    "Story",
    "World",
    "change",
    "crm_server",
    "generate",
    "load_world",
]
