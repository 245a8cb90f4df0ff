"""The models of the reference at v0.9: a video site in SQLAlchemy."""

import enum
from datetime import UTC, datetime

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Enum, Float, ForeignKey, Index, Integer, String, Table, Text
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


class UserRole(str, enum.Enum):
    USER = "user"
    ADMIN = "admin"
    PREMIUM = "premium"


class VideoStatus(str, enum.Enum):
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


def now() -> datetime:
    """UTC without a zone, as `datetime.utcnow` gave it."""
    return datetime.now(UTC).replace(tzinfo=None)


class User(Base):
    __tablename__ = "users"

    id = Column(Integer, primary_key=True, index=True)
    email = Column(String(255), unique=True, index=True, nullable=False)
    username = Column(String(100), unique=True, index=True, nullable=False)
    hashed_password = Column(String(255), nullable=False)
    full_name = Column(String(255))
    role = Column(Enum(UserRole), default=UserRole.USER, nullable=False)
    is_active = Column(Boolean, default=True, nullable=False)
    is_verified = Column(Boolean, default=False, nullable=False)
    created_at = Column(DateTime, default=now, nullable=False)
    updated_at = Column(DateTime, default=now, onupdate=now, nullable=False)
    last_login = Column(DateTime)


class Category(Base):
    __tablename__ = "categories"

    id = Column(Integer, primary_key=True, index=True)
    name = Column(String(100), unique=True, nullable=False)
    slug = Column(String(100), unique=True, index=True, nullable=False)
    description = Column(Text)
    created_at = Column(DateTime, default=now, nullable=False)


class Tag(Base):
    __tablename__ = "tags"

    id = Column(Integer, primary_key=True, index=True)
    name = Column(String(50), unique=True, index=True, nullable=False)
    created_at = Column(DateTime, default=now, nullable=False)


video_tags = Table(
    "video_tags",
    Base.metadata,
    Column("video_id", Integer, ForeignKey("videos.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Integer, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
)


class Video(Base):
    __tablename__ = "videos"

    id = Column(Integer, primary_key=True, index=True)
    user_id = Column(Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False)
    title = Column(String(255), index=True, nullable=False)
    description = Column(Text)
    file_path = Column(String(500), nullable=False)
    file_size = Column(BigInteger)
    duration = Column(Integer)
    width = Column(Integer)
    height = Column(Integer)
    fps = Column(Float)
    codec = Column(String(50))
    bitrate = Column(Integer)
    status = Column(Enum(VideoStatus), default=VideoStatus.PROCESSING, index=True, nullable=False)
    view_count = Column(Integer, default=0, nullable=False)
    created_at = Column(DateTime, default=now, index=True, nullable=False)
    updated_at = Column(DateTime, default=now, onupdate=now, nullable=False)
    published_at = Column(DateTime)
    category_id = Column(Integer, ForeignKey("categories.id", ondelete="SET NULL"))
    thumbnail_path = Column(String(500))


class VideoThumbnail(Base):
    __tablename__ = "video_thumbnails"

    id = Column(Integer, primary_key=True, index=True)
    video_id = Column(Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False)
    file_path = Column(String(500), nullable=False)
    width = Column(Integer)
    height = Column(Integer)
    is_default = Column(Boolean, default=False, nullable=False)
    created_at = Column(DateTime, default=now, nullable=False)


class Rating(Base):
    __tablename__ = "ratings"
    __table_args__ = (UniqueConstraint("user_id", "video_id", name="uq_user_video_rating"),)

    id = Column(Integer, primary_key=True, index=True)
    user_id = Column(Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False)
    video_id = Column(Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False)
    is_like = Column(Boolean, nullable=False)
    created_at = Column(DateTime, default=now, nullable=False)
    updated_at = Column(DateTime, default=now, onupdate=now, nullable=False)


class WatchHistory(Base):
    __tablename__ = "watch_history"
    __table_args__ = (UniqueConstraint("user_id", "video_id", name="uq_user_video_watch_history"),)

    id = Column(Integer, primary_key=True, index=True)
    user_id = Column(Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False)
    video_id = Column(Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False)
    watch_position = Column(Integer, default=0, nullable=False)
    watch_duration = Column(Integer, default=0, nullable=False)
    completed = Column(Boolean, default=False, nullable=False)
    last_watched_at = Column(DateTime, default=now, nullable=False)
    created_at = Column(DateTime, default=now, nullable=False)
    updated_at = Column(DateTime, default=now, onupdate=now, nullable=False)


# Database defaults that some databases of the reference have.
DEFAULTS = {
    "users": {"role": "'USER'", "is_active": "true", "is_verified": "false", "created_at": "CURRENT_TIMESTAMP"},
    "videos": {"status": "'PROCESSING'", "view_count": "0", "updated_at": "CURRENT_TIMESTAMP"},
    "watch_history": {"watch_position": "0", "watch_duration": "0", "completed": "false"},
}


def later_indexes() -> list[Index]:
    """Those of the revision after v0.9."""
    videos, ratings = Base.metadata.tables["videos"], Base.metadata.tables["ratings"]
    return [
        Index("ix_videos_view_count", videos.c.view_count),
        Index("ix_videos_status_view_count", videos.c.status, videos.c.view_count),
        Index("ix_videos_status_created_at", videos.c.status, videos.c.created_at),
        Index("ix_ratings_video_id", ratings.c.video_id),
    ]
