"""The first tables."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

import app.database

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# What is written once and never changed: rows are only ever added.
APPEND_ONLY = ("revision", "approval", "vote_entry", "activity")


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("page_id", sa.Integer(), nullable=True),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
    )
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_activity_page_id"), ["page_id"], unique=False)

    op.create_table(
        "chapter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chapter")),
        sa.UniqueConstraint("slug", name=op.f("uq_chapter_slug")),
    )
    op.create_table(
        "failed_sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_sign_in")),
    )
    with op.batch_alter_table("failed_sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_failed_sign_in_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_failed_sign_in_key"), ["key"], unique=False)

    op.create_table(
        "page",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("import_key", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page")),
        sa.UniqueConstraint("import_key", name=op.f("uq_page_import_key")),
        sa.UniqueConstraint("slug", name=op.f("uq_page_slug")),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name_key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("password_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("role", sa.Integer(), nullable=False),
        sa.Column("chapter_id", sa.Integer(), nullable=True),
        sa.Column("created_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_active_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("invited_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("role BETWEEN 0 AND 4", name=op.f("ck_member_role")),
        sa.ForeignKeyConstraint(["chapter_id"], ["chapter.id"], name=op.f("fk_member_chapter_id_chapter")),
        sa.ForeignKeyConstraint(["invited_by_id"], ["member.id"], name=op.f("fk_member_invited_by_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("name_key", name=op.f("uq_member_name_key")),
    )
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_member_chapter_id"), ["chapter_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_last_active_at"), ["last_active_at"], unique=False)

    op.create_table(
        "page_redirect",
        sa.Column("slug", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_page_redirect_page_id_page")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_page_redirect")),
    )
    with op.batch_alter_table("page_redirect", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_page_redirect_page_id"), ["page_id"], unique=False)

    op.create_table(
        "page_tag",
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("tag", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_page_tag_page_id_page")),
        sa.PrimaryKeyConstraint("page_id", "tag", name=op.f("pk_page_tag")),
    )
    with op.batch_alter_table("page_tag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_page_tag_tag"), ["tag"], unique=False)

    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", app.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["member.id"], name=op.f("fk_api_token_user_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_token_token_sha256")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "invite",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("chapter_id", sa.Integer(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["chapter_id"], ["chapter.id"], name=op.f("fk_invite_chapter_id_chapter")),
        sa.ForeignKeyConstraint(["created_by_id"], ["member.id"], name=op.f("fk_invite_created_by_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_invite_token_sha256")),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_parent_id", sa.Integer(), nullable=True),
        sa.Column("second_parent_id", sa.Integer(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("created_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("summary", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("import_key", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_revision_sha256")),
        sa.CheckConstraint("steps BETWEEN 0 AND 50", name=op.f("ck_revision_steps")),
        sa.ForeignKeyConstraint(["author_id"], ["member.id"], name=op.f("fk_revision_author_id_member")),
        sa.ForeignKeyConstraint(
            ["first_parent_id"], ["revision.id"], name=op.f("fk_revision_first_parent_id_revision")
        ),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_revision_page_id_page")),
        sa.ForeignKeyConstraint(
            ["second_parent_id"], ["revision.id"], name=op.f("fk_revision_second_parent_id_revision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint("draft_id", "first_parent_id", name=op.f("uq_revision_draft_id_first_parent_id")),
        sa.UniqueConstraint("import_key", name=op.f("uq_revision_import_key")),
        sa.UniqueConstraint("page_id", "number", name=op.f("uq_revision_page_id_number")),
    )
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revision_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_revision_first_parent_id"), ["first_parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_revision_second_parent_id"), ["second_parent_id"], unique=False)

    op.create_table(
        "web_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["member.id"], name=op.f("fk_web_session_user_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_web_session_token_sha256")),
    )
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_session_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_web_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("supersedes_id", sa.Integer(), nullable=True),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("basis", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('promoted', 'imported')", name=op.f("ck_approval_kind")),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_approval_page_id_page")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_approval_revision_id_revision")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["approval.id"], name=op.f("fk_approval_supersedes_id_approval")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("page_id", "supersedes_id", name=op.f("uq_approval_page_id_supersedes_id")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_page_id"), ["page_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_revision_id"), ["revision_id"], unique=False)
        batch_op.create_index(
            "uq_approval_first",
            ["page_id"],
            unique=True,
            sqlite_where=sa.text("supersedes_id IS NULL"),
            postgresql_where=sa.text("supersedes_id IS NULL"),
        )

    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("base_id", sa.Integer(), nullable=True),
        sa.Column("head_id", sa.Integer(), nullable=True),
        sa.Column("clean", sa.Boolean(), nullable=False),
        sa.Column("created_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("import_key", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.CheckConstraint("kind IN ('shared', 'fork')", name=op.f("ck_draft_kind")),
        sa.CheckConstraint("state IN ('open', 'approved', 'withdrawn', 'closed')", name=op.f("ck_draft_state")),
        sa.ForeignKeyConstraint(["base_id"], ["revision.id"], name=op.f("fk_draft_base_id_revision")),
        sa.ForeignKeyConstraint(["head_id"], ["revision.id"], name=op.f("fk_draft_head_id_revision")),
        sa.ForeignKeyConstraint(["owner_id"], ["member.id"], name=op.f("fk_draft_owner_id_member")),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_draft_page_id_page")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("import_key", name=op.f("uq_draft_import_key")),
    )
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index("ix_draft_page_state", ["page_id", "state", "id"], unique=False)
        batch_op.create_index(
            "uq_draft_shared_page",
            ["page_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'shared'"),
            postgresql_where=sa.text("kind = 'shared'"),
        )

    op.create_table(
        "candidate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("base_approval_id", sa.Integer(), nullable=True),
        sa.Column("base_revision_id", sa.Integer(), nullable=True),
        sa.Column("put_forward_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("opened_at", app.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("electorate", sa.JSON(), nullable=True),
        sa.Column("rule", sa.JSON(), nullable=True),
        sa.Column("passing_since", app.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("not_before", app.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("due_at", app.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("changed_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("closed", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("closed_at", app.database.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "closed IN ('approved', 'superseded', 'withdrawn', 'expired')", name=op.f("ck_candidate_closed")
        ),
        sa.ForeignKeyConstraint(
            ["base_approval_id"], ["approval.id"], name=op.f("fk_candidate_base_approval_id_approval")
        ),
        sa.ForeignKeyConstraint(
            ["base_revision_id"], ["revision.id"], name=op.f("fk_candidate_base_revision_id_revision")
        ),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_candidate_draft_id_draft")),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_candidate_page_id_page")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_candidate_revision_id_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidate")),
    )
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_candidate_draft_id"), ["draft_id"], unique=False)
        batch_op.create_index(
            "ix_candidate_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_candidate_page_id"), ["page_id"], unique=False)
        batch_op.create_index(
            "ix_candidate_page_open",
            ["page_id", "id"],
            unique=False,
            sqlite_where=sa.text("closed IS NULL"),
            postgresql_where=sa.text("closed IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_candidate_revision_id"), ["revision_id"], unique=False)

    op.create_table(
        "written_sentence",
        sa.Column("approval_id", sa.Integer(), nullable=False),
        sa.Column("hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("score", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approval.id"], name=op.f("fk_written_sentence_approval_id_approval")
        ),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_written_sentence_page_id_page")),
        sa.PrimaryKeyConstraint("approval_id", "hash", name=op.f("pk_written_sentence")),
    )
    with op.batch_alter_table("written_sentence", schema=None) as batch_op:
        batch_op.create_index("ix_written_sentence_page_hash", ["page_id", "hash"], unique=False)

    op.create_table(
        "candidate_revision",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("approval_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approval.id"], name=op.f("fk_candidate_revision_approval_id_approval")
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidate.id"], name=op.f("fk_candidate_revision_candidate_id_candidate")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_candidate_revision_revision_id_revision")
        ),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_candidate_revision")),
    )
    with op.batch_alter_table("candidate_revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_candidate_revision_candidate_id"), ["candidate_id"], unique=False)

    op.create_table(
        "dependency",
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("rewrites", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_dependency_candidate_id_candidate")),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_dependency_page_id_page")),
        sa.PrimaryKeyConstraint("candidate_id", "hash", name=op.f("pk_dependency")),
    )
    with op.batch_alter_table("dependency", schema=None) as batch_op:
        batch_op.create_index("ix_dependency_page_hash", ["page_id", "hash"], unique=False)

    op.create_table(
        "vote",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("chapter_id", sa.Integer(), nullable=True),
        sa.Column("value", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("cast_at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("value IN ('support', 'oppose', 'pass')", name=op.f("ck_vote_value")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_vote_candidate_id_candidate")),
        sa.ForeignKeyConstraint(["chapter_id"], ["chapter.id"], name=op.f("fk_vote_chapter_id_chapter")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_vote_member_id_member")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_vote_revision_id_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote")),
        sa.UniqueConstraint("candidate_id", "member_id", name=op.f("uq_vote_candidate_id_member_id")),
    )
    with op.batch_alter_table("vote", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vote_member_id"), ["member_id"], unique=False)
        batch_op.create_index("ix_vote_tally", ["candidate_id", "chapter_id", "value"], unique=False)

    op.create_table(
        "vote_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("chapter_id", sa.Integer(), nullable=True),
        sa.Column("value", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", app.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_vote_entry_candidate_id_candidate")),
        sa.ForeignKeyConstraint(["chapter_id"], ["chapter.id"], name=op.f("fk_vote_entry_chapter_id_chapter")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_vote_entry_member_id_member")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_vote_entry_revision_id_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote_entry")),
    )
    with op.batch_alter_table("vote_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vote_entry_candidate_id"), ["candidate_id"], unique=False)
    for table in APPEND_ONLY:
        refuse_changes(table)


def downgrade() -> None:
    for table in APPEND_ONLY:
        allow_changes(table)
    with op.batch_alter_table("vote_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vote_entry_candidate_id"))

    op.drop_table("vote_entry")
    with op.batch_alter_table("vote", schema=None) as batch_op:
        batch_op.drop_index("ix_vote_tally")
        batch_op.drop_index(batch_op.f("ix_vote_member_id"))

    op.drop_table("vote")
    with op.batch_alter_table("dependency", schema=None) as batch_op:
        batch_op.drop_index("ix_dependency_page_hash")

    op.drop_table("dependency")
    with op.batch_alter_table("candidate_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_candidate_revision_candidate_id"))

    op.drop_table("candidate_revision")
    with op.batch_alter_table("written_sentence", schema=None) as batch_op:
        batch_op.drop_index("ix_written_sentence_page_hash")

    op.drop_table("written_sentence")
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_candidate_revision_id"))
        batch_op.drop_index(
            "ix_candidate_page_open", sqlite_where=sa.text("closed IS NULL"), postgresql_where=sa.text("closed IS NULL")
        )
        batch_op.drop_index(batch_op.f("ix_candidate_page_id"))
        batch_op.drop_index(
            "ix_candidate_due",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_candidate_draft_id"))

    op.drop_table("candidate")
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_draft_shared_page", sqlite_where=sa.text("kind = 'shared'"), postgresql_where=sa.text("kind = 'shared'")
        )
        batch_op.drop_index("ix_draft_page_state")
        batch_op.drop_index(batch_op.f("ix_draft_owner_id"))

    op.drop_table("draft")
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_approval_first",
            sqlite_where=sa.text("supersedes_id IS NULL"),
            postgresql_where=sa.text("supersedes_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_approval_revision_id"))
        batch_op.drop_index(batch_op.f("ix_approval_page_id"))

    op.drop_table("approval")
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_web_session_user_id"))
        batch_op.drop_index(batch_op.f("ix_web_session_expires_at"))

    op.drop_table("web_session")
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revision_second_parent_id"))
        batch_op.drop_index(batch_op.f("ix_revision_first_parent_id"))
        batch_op.drop_index(batch_op.f("ix_revision_author_id"))

    op.drop_table("revision")
    op.drop_table("invite")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_user_id"))

    op.drop_table("api_token")
    with op.batch_alter_table("page_tag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_page_tag_tag"))

    op.drop_table("page_tag")
    with op.batch_alter_table("page_redirect", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_page_redirect_page_id"))

    op.drop_table("page_redirect")
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_member_last_active_at"))
        batch_op.drop_index(batch_op.f("ix_member_chapter_id"))

    op.drop_table("member")
    op.drop_table("page")
    with op.batch_alter_table("failed_sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_failed_sign_in_key"))
        batch_op.drop_index(batch_op.f("ix_failed_sign_in_at"))

    op.drop_table("failed_sign_in")
    op.drop_table("chapter")
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activity_page_id"))
        batch_op.drop_index(batch_op.f("ix_activity_kind"))

    op.drop_table("activity")


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
