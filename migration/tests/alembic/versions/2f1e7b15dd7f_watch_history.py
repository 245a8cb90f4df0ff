"""add watch_history table"""

import sqlalchemy as sa
from alembic import op

revision = "2f1e7b15dd7f"
down_revision = "41fff3752bb2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "watch_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("video_id", sa.Integer(), nullable=False),
        sa.Column("watch_position", sa.Integer(), nullable=False),
        sa.Column("watch_duration", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("last_watched_at", sa.DateTime(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "video_id", name="uq_user_video_watch_history"),
    )
    op.create_index(op.f("ix_watch_history_id"), "watch_history", ["id"], unique=False)


def downgrade() -> None:
    op.drop_table("watch_history")
