"""Alembic's entry: runs the revisions on the connection that `migrate` hands over."""

from alembic import context

from netvalve.storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    on_version_apply=context.config.attributes["on_version_apply"],
    target_metadata=METADATA,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
