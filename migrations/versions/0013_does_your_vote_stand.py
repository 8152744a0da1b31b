"""Which approval made a candidate stale, and whether its voters said since then that their votes stand."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, name in (("candidate", "stale_by_id"), ("vote", "answered_id")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=True))
            batch_op.create_foreign_key(batch_op.f(f"fk_{table}_{name}_approval"), "approval", [name], ["id"])
    # What is stale was carried within a second of the approval that ended it, so that is the newest one by then.
    op.execute(
        "UPDATE candidate SET stale_by_id = (SELECT max(approval.id) FROM approval"
        " WHERE approval.page_id = candidate.page_id AND approval.at <= candidate.changed_at)"
        " WHERE stale AND closed IS NULL"
    )


def downgrade() -> None:
    for table, name in (("vote", "answered_id"), ("candidate", "stale_by_id")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"fk_{table}_{name}_approval"), type_="foreignkey")
            batch_op.drop_column(name)
