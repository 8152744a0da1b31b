"""What members typed and have not sent."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

import app.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "autosave",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("base_id", sa.Integer(), nullable=False),
        sa.Column("section", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("updated_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_autosave_member_id_member")),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_autosave_draft_id_draft")),
        sa.ForeignKeyConstraint(["base_id"], ["revision.id"], name=op.f("fk_autosave_base_id_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autosave")),
        sa.UniqueConstraint("member_id", "draft_id", name=op.f("uq_autosave_member_id_draft_id")),
    )
    with op.batch_alter_table("autosave", schema=None) as batch_op:
        batch_op.create_index("ix_autosave_draft_updated", ["draft_id", "updated_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("autosave", schema=None) as batch_op:
        batch_op.drop_index("ix_autosave_draft_updated")

    op.drop_table("autosave")
