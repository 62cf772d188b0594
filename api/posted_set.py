"""A posted set of documents as one may say it: in the form of files, with what is to be done to the others."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from state.errors import Fault, Invalid
from state.kinds import KINDS
from state.validation import faults_of

_Name = Field(max_length=1024)


class Metadata(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = _Name
    owner: str | None = Field(None, max_length=64, description="Whose it is.")
    host: str | None = Field(None, max_length=255, description="The host to be on.")


class Posted(BaseModel):
    """One document as one writes it in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: str = Field(max_length=64)
    metadata: Metadata
    spec: dict[str, Any] = Field(default_factory=dict)
    inside: bool = Field(
        False,
        description="Whether it was written inside of what it is a part of: then it takes the place of others there, "
        "such as records of the same name and type, or of one that cannot be beside its own.",
    )


class PostedSet(BaseModel):
    """`prune` deletes the living documents of the posted kinds (of `owner`) that are not among those posted;
    `allow_deletes` is how many of these are meant, where they are many."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    documents: list[Posted] = Field(
        default_factory=list, max_length=20_000, description="As one writes them in files."
    )
    prune: bool = Field(False, description="Whether others of these kinds go; not with an empty set.")
    owner: str | None = Field(
        None, max_length=64, description="Whose they are, unless they say so; and the scope."
    )
    host: str | None = Field(
        None, max_length=255, description="The only host to look at, and that of new users."
    )
    allow_deletes: int = Field(
        0, ge=0, le=10**6, description="How many deletions are meant, when there are many."
    )


def understand(body: Any) -> PostedSet:
    """The posted set. Raises Invalid with every fault."""
    try:
        posted = PostedSet.model_validate(body)
    except ValidationError as error:
        raise Invalid(faults_of(error)) from None
    faults = [
        Fault(f"documents.{i}.kind", f"there is no kind {each.kind!r}; there are {', '.join(KINDS)}")
        for i, each in enumerate(posted.documents)
        if each.kind not in KINDS
    ]
    if posted.prune and not posted.documents:
        faults.append(Fault("documents", "an empty set would delete everything: post what is to stay"))
    if faults:
        raise Invalid(faults)
    return posted
