"""Alembic's entry: runs the migrations on the connection that `state.database` hands over."""

from alembic import context

from state.tables import metadata

database = context.config.attributes["database"]
with database.engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
