"""What moderators propose and confirm about the numbers of the rule."""

import sqlalchemy as sa
from alembic import op

import app.database

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("proposal_id", sa.Integer(), nullable=True),
        sa.Column("setting", sa.String(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("chapter_id", sa.Integer(), nullable=True),
        sa.Column("entry", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('proposed', 'confirmed', 'taken_back')", name=op.f("ck_rule_change_kind")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["rule_change.id"], name=op.f("fk_rule_change_proposal_id_rule_change")
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["member.id"], name=op.f("fk_rule_change_actor_id_member")),
        sa.ForeignKeyConstraint(["chapter_id"], ["chapter.id"], name=op.f("fk_rule_change_chapter_id_chapter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_change")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_rule_change_proposal_id")),
    )
    with op.batch_alter_table("rule_change", schema=None) as batch_op:
        batch_op.create_index(
            "ix_rule_change_saved",
            ["setting", "id"],
            unique=False,
            sqlite_where=sa.text("kind = 'confirmed'"),
            postgresql_where=sa.text("kind = 'confirmed'"),
        )
    refuse_changes("rule_change")


def downgrade() -> None:
    allow_changes("rule_change")
    op.drop_table("rule_change")


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
