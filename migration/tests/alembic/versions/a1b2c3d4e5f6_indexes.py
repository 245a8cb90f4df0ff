"""indexes for the lists"""

from alembic import op

revision = "a1b2c3d4e5f6"
down_revision = "2f1e7b15dd7f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_videos_view_count", "videos", ["view_count"])
    op.create_index("ix_videos_status_view_count", "videos", ["status", "view_count"])
    op.create_index("ix_videos_status_created_at", "videos", ["status", "created_at"])
    op.create_index("ix_ratings_video_id", "ratings", ["video_id"])


def downgrade() -> None:
    op.drop_index("ix_ratings_video_id", table_name="ratings")
    for name in ("ix_videos_status_created_at", "ix_videos_status_view_count", "ix_videos_view_count"):
        op.drop_index(name, table_name="videos")
