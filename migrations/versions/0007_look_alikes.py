"""Which candidates say nearly the same, and which drafts were joined from which.

The running program puts the candidates that are open by now into their stacks.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "look_alike",
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("stack_id", sa.Integer(), nullable=False),
        sa.Column("shingles", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_look_alike_candidate_id_candidate")),
        sa.ForeignKeyConstraint(["stack_id"], ["candidate.id"], name=op.f("fk_look_alike_stack_id_candidate")),
        sa.PrimaryKeyConstraint("candidate_id", name=op.f("pk_look_alike")),
    )
    with op.batch_alter_table("look_alike", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_look_alike_stack_id"), ["stack_id"], unique=False)
    op.create_table(
        "stack_band",
        sa.Column("stack_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["stack_id"], ["candidate.id"], name=op.f("fk_stack_band_stack_id_candidate")),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_stack_band_page_id_page")),
        sa.PrimaryKeyConstraint("stack_id", "hash", name=op.f("pk_stack_band")),
    )
    with op.batch_alter_table("stack_band", schema=None) as batch_op:
        batch_op.create_index("ix_stack_band_page_hash", ["page_id", "hash"], unique=False)
    op.create_table(
        "draft_join",
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_draft_join_draft_id_draft")),
        sa.ForeignKeyConstraint(["from_id"], ["draft.id"], name=op.f("fk_draft_join_from_id_draft")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_draft_join_revision_id_revision")),
        sa.PrimaryKeyConstraint("draft_id", "from_id", name=op.f("pk_draft_join")),
    )
    with op.batch_alter_table("draft_join", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_join_from_id"), ["from_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_join_revision_id"), ["revision_id"], unique=False)


def downgrade() -> None:
    op.drop_table("draft_join")
    op.drop_table("stack_band")
    op.drop_table("look_alike")
