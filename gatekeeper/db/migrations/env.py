"""Alembic's entry: runs on the connection that `gatekeeper.db.schema` hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,
    transactional_ddl=True,  # on SQLite too: the connection begins its transactions itself
)
context.run_migrations()
