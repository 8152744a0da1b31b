"""What candidates are ranked by, so that a page with thousands of them is listed as fast as one with few."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("score", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("supporters", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_index(
            "ix_candidate_opened",
            ["opened_at", "id"],
            unique=False,
            sqlite_where=sa.text("closed IS NULL AND opened_at IS NOT NULL"),
            postgresql_where=sa.text("closed IS NULL AND opened_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_candidate_passing",
            ["due_at", "id"],
            unique=False,
            sqlite_where=sa.text("closed IS NULL AND passing_since IS NOT NULL"),
            postgresql_where=sa.text("closed IS NULL AND passing_since IS NOT NULL"),
        )
    # Whatever is due is looked at by the running program, which counts its votes and notes its rank.
    op.execute("UPDATE candidate SET due_at = opened_at WHERE opened_at IS NOT NULL AND closed IS NULL AND NOT stale")


def downgrade() -> None:
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.drop_index("ix_candidate_passing")
        batch_op.drop_index("ix_candidate_opened")
        batch_op.drop_column("supporters")
        batch_op.drop_column("score")
