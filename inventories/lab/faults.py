"""What can go wrong with a lab.

Exception
├── LabUnavailable   this machine cannot run labs; the message says what to do
└── LabFailed        a step did not succeed; the message carries what the tool said
"""


class LabUnavailable(Exception):  # noqa: N818
    """This machine cannot run lab hosts."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}. Or use the Vagrant way instead: see Vagrantfile.")


class LabFailed(Exception):  # noqa: N818
    """A step of building, starting or stopping a lab did not succeed."""
