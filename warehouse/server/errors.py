"""What can go wrong with the embedded server, by what one does next.

EmbeddedServerError
|-- ServerBinariesError    install the wheel again, or use a PostgreSQL of your own by URL
|-- DataDirectoryError     the folder is not what it should be: choose another
|   |-- PermissionsError   change owner or mode as the message says
|   `-- ServerVersionError the folder was made by another major version: dump and load, or choose another
|-- ServerBusyError        another process holds the folder too long: look at it, try again
`-- ServerStartError       PostgreSQL did not come up: the message ends with its log
"""

from __future__ import annotations


class EmbeddedServerError(Exception):
    """The embedded PostgreSQL cannot be used; the message says what to do."""


class ServerBinariesError(EmbeddedServerError):
    """The server's programs are missing or do not run on this machine."""


class DataDirectoryError(EmbeddedServerError):
    """The data folder cannot be used as it is."""


class PermissionsError(DataDirectoryError):
    """The data folder belongs to somebody else, or is open to others."""


class ServerVersionError(DataDirectoryError):
    """The data folder was made by another major version of PostgreSQL."""


class ServerBusyError(EmbeddedServerError):
    """Another process is starting or stopping this server for too long."""


class ServerStartError(EmbeddedServerError):
    """PostgreSQL did not start, or did not become ready in time."""
