"""How often a member's votes began to count, and for how many of these what they voted on was looked at again."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("recounts_asked", "recounts_done"):
        op.add_column("member", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    condition = sa.text("recounts_asked > recounts_done")
    op.create_index("ix_member_recounted", "member", ["id"], sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    op.drop_index("ix_member_recounted", table_name="member")
    op.drop_column("member", "recounts_done")
    op.drop_column("member", "recounts_asked")
