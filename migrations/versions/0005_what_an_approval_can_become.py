"""What an approved text can lose: its approval, by its voters; its use, by a moderator. And calls for rapid mode."""

import sqlalchemy as sa
from alembic import op

import app.database

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ENDS = ("approved", "superseded", "withdrawn", "expired")
MORE_ENDS = ("approved", "contested", "unpromoted", "declined", "superseded", "withdrawn", "expired")
KINDS = ("promoted", "imported")
MORE_KINDS = ("promoted", "imported", "unpromoted", "corrected")


def upgrade() -> None:
    allow_changes("approval")
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("failing_since", app.database.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("unconfirmed_until", app.database.UtcDateTime(timezone=True), nullable=True))
        _allow(batch_op, "candidate", "closed", MORE_ENDS)
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mode", sa.String(), nullable=False, server_default="routine"))
        batch_op.add_column(sa.Column("contested", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("actor_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_approval_actor_id_member"), "member", ["actor_id"], ["id"])
        _allow(batch_op, "approval", "kind", MORE_KINDS)
    refuse_changes("approval")
    op.create_table(
        "stop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("approval_id", sa.Integer(), nullable=True),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", app.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("replacement", sa.String(), nullable=True),
        sa.Column("takes_effect", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('held', 'released', 'withdrawn', 'restored')", name=op.f("ck_stop_kind")),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_stop_page_id_page")),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name=op.f("fk_stop_approval_id_approval")),
        sa.ForeignKeyConstraint(["actor_id"], ["member.id"], name=op.f("fk_stop_actor_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop")),
    )
    with op.batch_alter_table("stop", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stop_page_id"), ["page_id"], unique=False)
    refuse_changes("stop")
    op.create_table(
        "rapid_call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("chapter_id", sa.Integer(), nullable=True),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", app.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_rapid_call_page_id_page")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_rapid_call_member_id_member")),
        sa.ForeignKeyConstraint(["chapter_id"], ["chapter.id"], name=op.f("fk_rapid_call_chapter_id_chapter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rapid_call")),
    )
    with op.batch_alter_table("rapid_call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rapid_call_page_id"), ["page_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_rapid_call_member_id"), ["member_id"], unique=False)


def downgrade() -> None:
    op.drop_table("rapid_call")
    allow_changes("stop")
    op.drop_table("stop")
    allow_changes("approval")
    # The older program knows neither what these rows say nor how to go on from them.
    op.execute("UPDATE approval SET kind = 'promoted' WHERE kind IN ('unpromoted', 'corrected')")
    op.execute("UPDATE candidate SET closed = 'approved' WHERE closed = 'contested'")
    op.execute("UPDATE candidate SET closed = 'expired' WHERE closed IN ('unpromoted', 'declined')")
    with op.batch_alter_table("approval", schema=None) as batch_op:
        _allow(batch_op, "approval", "kind", KINDS)
        batch_op.drop_constraint(batch_op.f("fk_approval_actor_id_member"), type_="foreignkey")
        batch_op.drop_column("actor_id")
        batch_op.drop_column("contested")
        batch_op.drop_column("mode")
    refuse_changes("approval")
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        _allow(batch_op, "candidate", "closed", ENDS)
        batch_op.drop_column("unconfirmed_until")
        batch_op.drop_column("failing_since")


def refuse_changes(table: str) -> None:
    """Let triggers stop every UPDATE and DELETE of the table; SQLite loses them when it rebuilds one."""
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


def _allow(batch_op, table, column, values) -> None:  # type: ignore[no-untyped-def]
    """Let the column hold these values and no others."""
    name = batch_op.f(f"ck_{table}_{column}")
    batch_op.drop_constraint(name, type_="check")
    listed = ", ".join(f"'{value}'" for value in values)
    batch_op.create_check_constraint(name, f"{column} IN ({listed})")
