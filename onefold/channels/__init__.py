"""How somebody is told: by mail and by webhook."""
