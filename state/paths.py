"""Where tenants' files live on a host."""

HOME = "/home"


def home_of(owner: str) -> str:
    """A tenant's home."""
    return f"{HOME}/{owner}"


def site_dir(owner: str, domain: str) -> str:
    """The folder that holds all of a site; its document root is inside."""
    return f"{home_of(owner)}/web/{domain}"
