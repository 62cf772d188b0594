"""The peer of the API: FastAPI and SQLAlchemy with nothing between them, on the tables of the real one.

A list is a page of documents with their statuses and the number of all; a creation is the same rows in one
transaction. Nobody is asked who they are, nothing is validated beyond types, no limit is looked at.
"""

import sys
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import ColumnElement, and_, func, insert, select

from state.database import Database
from state.tables import claims, documents, refs, revisions, statuses

app = FastAPI()
database = Database(sys.argv[1])


class Site(BaseModel):
    """What is created."""

    domain: str
    user_id: str
    web_template: str = "default"
    backend_template: str | None = None


def _owner(owners: Any) -> ColumnElement[bool]:
    return and_(owners.c.kind == "User", owners.c.name == documents.c.owner, owners.c.deleted_at.is_(None))


@app.get("/domains")
def list_sites(page: int = 1, limit: int = 20) -> dict[str, Any]:
    """A page of sites, oldest first."""
    alive = (documents.c.kind == "WebDomain") & documents.c.deleted_at.is_(None)
    owners = documents.alias("owners")
    query = (
        select(
            documents, owners.c.uid.label("owner_uid"), statuses.c.conditions, statuses.c.observed_generation
        )
        .join_from(documents, statuses, isouter=True)
        .outerjoin(owners, _owner(owners))
        .where(alive)
        .order_by(documents.c.created_at, documents.c.uid)
        .limit(limit)
        .offset((page - 1) * limit)
    )
    with database.reading() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
        total = connection.execute(select(func.count()).select_from(documents).where(alive)).scalar_one()
    return {"domains": rows, "total": total}


@app.get("/domains/{uid}")
def get_site(uid: str) -> dict[str, Any]:
    """One site."""
    owners = documents.alias("owners")
    query = (
        select(
            documents, owners.c.uid.label("owner_uid"), statuses.c.conditions, statuses.c.observed_generation
        )
        .join_from(documents, statuses, isouter=True)
        .outerjoin(owners, _owner(owners))
        .where(documents.c.uid == uid, documents.c.deleted_at.is_(None))
    )
    with database.reading() as connection:
        return dict(connection.execute(query).mappings().one())


@app.post("/domains", status_code=201)
def create_site(site: Site) -> dict[str, Any]:
    """A site, as a row with its history, reference and claim."""
    now, uid = datetime.now(UTC), str(uuid4())
    with database.writing() as connection:
        owner = connection.execute(select(documents).where(documents.c.uid == site.user_id)).mappings().one()
        root = f"/home/{owner['name']}/web/{site.domain}/public_html"
        spec = {**site.model_dump(exclude={"domain", "user_id"}), "document_root": root}
        row = {
            "uid": uid, "kind": "WebDomain", "name": site.domain, "owner": owner["name"],
            "target": owner["target"], "spec": spec, "generation": 1, "wanted": 1, "pending": True,
            "confirmed": True, "created_at": now, "updated_at": now,
        }  # fmt: skip
        connection.execute(insert(documents).values(row))
        connection.execute(insert(revisions).values(uid=uid, generation=1, spec=spec, actor="admin", at=now))
        connection.execute(insert(refs).values(uid=uid, kind="User", name=owner["name"]))
        connection.execute(
            insert(claims).values(
                space="hosts", name=site.domain, uid=uid, owner=owner["name"], base=site.domain
            )
        )
    return row


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]))
