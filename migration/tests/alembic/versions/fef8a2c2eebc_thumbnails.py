"""thumbnails"""

import sqlalchemy as sa
from alembic import op

revision = "fef8a2c2eebc"
down_revision = "3ab08c05ac2e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("videos", sa.Column("thumbnail_path", sa.String(length=500), nullable=True))
    op.create_table(
        "video_thumbnails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("video_id", sa.Integer(), nullable=False),
        sa.Column("file_path", sa.String(length=500), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_video_thumbnails_id"), "video_thumbnails", ["id"], unique=False)


def downgrade() -> None:
    op.drop_table("video_thumbnails")
    op.drop_column("videos", "thumbnail_path")
