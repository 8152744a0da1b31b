"""From when a member's votes count, who vouched for whom, and who moves to another chapter.

Whoever is a member by now counts.
"""

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
        batch_op.add_column(sa.Column("next_chapter_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("next_chapter_at", app.database.UtcDateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_member_next_chapter_id_chapter"), "chapter", ["next_chapter_id"], ["id"]
        )
        batch_op.create_index(
            "ix_member_moving",
            ["next_chapter_at"],
            unique=False,
            sqlite_where=sa.text("next_chapter_at IS NOT NULL"),
            postgresql_where=sa.text("next_chapter_at IS NOT NULL"),
        )
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
        batch_op.drop_index("ix_member_moving")
        batch_op.drop_constraint(batch_op.f("fk_member_next_chapter_id_chapter"), type_="foreignkey")
        batch_op.drop_column("next_chapter_at")
        batch_op.drop_column("next_chapter_id")
        batch_op.drop_column("seasoned_at")
