"""What the queue goes by, so that the next text for a member is found by one look into an index."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("urgency", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("room", sa.JSON(), nullable=True))
        batch_op.create_index(
            "ix_candidate_queue",
            ["urgency", "id"],
            unique=False,
            sqlite_where=sa.text("closed IS NULL AND stale IS 0"),
            postgresql_where=sa.text("closed IS NULL AND stale IS false"),
        )
    # Whatever is due is looked at by the running program, which counts its votes and notes how near a decision it is.
    op.execute("UPDATE candidate SET due_at = opened_at WHERE opened_at IS NOT NULL AND closed IS NULL AND NOT stale")


def downgrade() -> None:
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.drop_index("ix_candidate_queue")
        batch_op.drop_column("room")
        batch_op.drop_column("urgency")
