"""From when a member's votes count, and who vouched for whom. Whoever is a member by now counts."""

import sqlalchemy as sa
from alembic import op

import app.database

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seasoned_at", app.database.UtcDateTime(timezone=True), nullable=True))
    op.execute("UPDATE member SET seasoned_at = created_at WHERE role > 0")
    op.create_table(
        "vouch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_vouch_member_id_member")),
        sa.ForeignKeyConstraint(["by_id"], ["member.id"], name=op.f("fk_vouch_by_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouch")),
        sa.UniqueConstraint("member_id", "by_id", name=op.f("uq_vouch_member_id_by_id")),
    )
    with op.batch_alter_table("vouch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vouch_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vouch_by_id"), ["by_id"], unique=False)


def downgrade() -> None:
    op.drop_table("vouch")
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_column("seasoned_at")
