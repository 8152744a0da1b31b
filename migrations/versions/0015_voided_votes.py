"""What moderators ask and confirm about whose votes count."""

import sqlalchemy as sa
from alembic import op

import app.database

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "voiding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("asked_id", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("voids", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("chapter_id", sa.Integer(), nullable=True),
        sa.Column("entry", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["asked_id"], ["voiding.id"], name=op.f("fk_voiding_asked_id_voiding")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_voiding_member_id_member")),
        sa.ForeignKeyConstraint(["actor_id"], ["member.id"], name=op.f("fk_voiding_actor_id_member")),
        sa.ForeignKeyConstraint(["chapter_id"], ["chapter.id"], name=op.f("fk_voiding_chapter_id_chapter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voiding")),
        sa.UniqueConstraint("asked_id", name=op.f("uq_voiding_asked_id")),
    )
    with op.batch_alter_table("voiding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voiding_member_id"), ["member_id"], unique=False)
    refuse_changes("voiding")
    op.add_column("member", sa.Column("voided_at", app.database.UtcDateTime(timezone=True), nullable=True))
    op.add_column("candidate", sa.Column("voidings_seen", sa.Integer(), nullable=True))
    op.add_column("member", sa.Column("is_void", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("candidate", "voidings_seen")
    op.drop_column("member", "is_void")
    op.drop_column("member", "voided_at")
    allow_changes("voiding")
    op.drop_table("voiding")


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
