"""What is known of a machine and its configuration when its safety is judged; plain values."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from state.settings import Settings


class Role(Enum):
    """What a file is for, which decides who may read and write it."""

    SECRET = "secret"  # noqa: S105 - a word
    FOLDER = "folder"
    TRUSTED = "trusted"


@dataclass(frozen=True, slots=True)
class File:
    """A file or folder that is there."""

    path: str
    role: Role
    mode: int
    owner: int


@dataclass(frozen=True, slots=True)
class Store:
    """The database: why it could not be asked, or what it says."""

    fault: str = ""
    behind: bool = False
    administrator: bool = True
    machines: frozenset[str] = frozenset()
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of this machine and its configuration; `password` is the length of the administrator's in the
    environment, none if it is not there."""

    settings: Settings
    now: datetime
    machine: str
    uid: int
    files: tuple[File, ...] = ()
    store: Store = Store()
    inventory_fault: str = ""
    authority_faults: tuple[str, ...] = ()
    password: int | None = None
