"""Runs the migrations in the transaction of the connection that `app.store.migrate` hands over."""

from alembic import context

from app.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
