"""What can go wrong with a backup.

BackupError                  nothing was changed
|-- ProgramsMissingError     pg_dump and pg_restore of the server's version are not here: install them
|-- FileExistsAlreadyError   the file is there: choose another name
|-- NotABackupError          the file is no backup of a hub, or a newer Onefold made it
|-- DamagedBackupError       the file was changed or cut since it was written: take another one
|-- HubNotEmptyError         the target holds a hub: say that it is to be replaced
|-- RestoreRefusedError      the target's server cannot take it: what is missing is named
`-- ProgramFailedError       pg_dump or pg_restore ended with an error
"""

from __future__ import annotations


class BackupError(Exception):
    """A backup was not made or not restored; the message says why and what to do, without client data."""


class ProgramsMissingError(BackupError):
    """The programs of the server's major version are not on this machine."""


class FileExistsAlreadyError(BackupError):
    """There is a file of this name, and backups are not overwritten."""


class NotABackupError(BackupError):
    """The file cannot be read as a backup of a hub."""


class DamagedBackupError(BackupError):
    """What the file holds is not what was written."""


class HubNotEmptyError(BackupError):
    """The target database holds a hub with data."""

    exit_code = 2


class RestoreRefusedError(BackupError):
    """The target cannot take the backup."""


class ProgramFailedError(BackupError):
    """pg_dump or pg_restore ended with an error."""
