"""A candidate's stack beside its rank, and indices along which pages and stacks are read best first."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

RANK = ("stale", "score DESC", "supporters DESC")
INDICES = (
    ("rank", "NOT NULL", ("page_id", *RANK)),
    ("unvoted", "NULL", ("page_id", "id")),
    ("stack_rank", "NOT NULL", ("stack_id", *RANK)),
    ("stack_unvoted", "NULL", ("stack_id", "id DESC")),
)


def upgrade() -> None:
    op.add_column("candidate", sa.Column("stack_id", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE candidate SET stack_id ="
        " (SELECT look_alike.stack_id FROM look_alike WHERE look_alike.candidate_id = candidate.id)"
    )
    with op.batch_alter_table("look_alike", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_look_alike_stack_id"))
        batch_op.drop_constraint(batch_op.f("fk_look_alike_stack_id_candidate"), type_="foreignkey")
        batch_op.drop_column("stack_id")
    for name, votes, columns in INDICES:
        condition = sa.text(f"closed IS NULL AND score IS {votes}")
        op.create_index(
            f"ix_candidate_{name}",
            "candidate",
            [sa.text(column) for column in columns],
            sqlite_where=condition,
            postgresql_where=condition,
        )


def downgrade() -> None:
    for name, _votes, _columns in INDICES:
        op.drop_index(f"ix_candidate_{name}", table_name="candidate")
    with op.batch_alter_table("look_alike", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stack_id", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE look_alike SET stack_id ="
        " (SELECT candidate.stack_id FROM candidate WHERE candidate.id = look_alike.candidate_id)"
    )
    with op.batch_alter_table("look_alike", schema=None) as batch_op:
        batch_op.alter_column("stack_id", existing_type=sa.Integer(), nullable=False)
        batch_op.create_foreign_key(batch_op.f("fk_look_alike_stack_id_candidate"), "candidate", ["stack_id"], ["id"])
        batch_op.create_index(batch_op.f("ix_look_alike_stack_id"), ["stack_id"], unique=False)
    op.drop_column("candidate", "stack_id")
