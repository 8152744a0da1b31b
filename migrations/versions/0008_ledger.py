"""The public ledger and the signed checkpoints over it.

Approvals from before stay as they are; the program enters them when it first starts with this shape.
"""

import sqlalchemy as sa
from alembic import op

import app.database

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("ledger_entry", "ledger_checkpoint")


def upgrade() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=True),
        sa.Column("approval_id", sa.Integer(), nullable=True),
        sa.Column("stop_id", sa.Integer(), nullable=True),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("leaf", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_ledger_entry_page_id_page")),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name=op.f("fk_ledger_entry_approval_id_approval")),
        sa.ForeignKeyConstraint(["stop_id"], ["stop.id"], name=op.f("fk_ledger_entry_stop_id_stop")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("approval_id", name=op.f("uq_ledger_entry_approval_id")),
        sa.UniqueConstraint("stop_id", name=op.f("uq_ledger_entry_stop_id")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entry_page_id_sequence", ["page_id", "sequence"], unique=False)
        batch_op.create_index(
            "ix_ledger_entry_rule",
            ["sequence"],
            unique=False,
            sqlite_where=sa.text("kind = 'rule'"),
            postgresql_where=sa.text("kind = 'rule'"),
        )
    op.create_table(
        "ledger_checkpoint",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("frontier", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_ledger_checkpoint")),
    )
    for table in TABLES:
        refuse_changes(table)


def downgrade() -> None:
    for table in TABLES:
        allow_changes(table)
    op.drop_table("ledger_checkpoint")
    op.drop_table("ledger_entry")


def refuse_changes(table: str) -> None:
    """Let triggers stop every UPDATE and DELETE of the table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION refuse_change_of_{table}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'rows of {table} are never changed'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_change_of_{table}()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
        )


def allow_changes(table: str) -> None:
    """Take the triggers of `refuse_changes` away."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {table}_is_append_only ON {table}")
        op.execute(f"DROP FUNCTION refuse_change_of_{table}()")
        return
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER {table}_refuses_{verb}")
