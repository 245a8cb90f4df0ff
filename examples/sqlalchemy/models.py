"""The SQLAlchemy models of docs/from-sqlalchemy.md, and an engine that records its statements."""

import enum
from datetime import datetime
from decimal import Decimal

from sqlalchemy import (JSON, CheckConstraint, Column, Enum, Float, ForeignKey, Index, Numeric, Table, UniqueConstraint, cast,
                        create_engine, event, func, select)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, backref, mapped_column, relationship


class Base(DeclarativeBase):
    pass


# snippet: declarative
class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    addresses: Mapped[list["Address"]] = relationship(back_populates="user", cascade="all, delete-orphan")
# end


# snippet: relationship
class Address(Base):
    __tablename__ = "addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped["User"] = relationship(back_populates="addresses")
# end


class House(Base):
    __tablename__ = "houses"

    id: Mapped[int] = mapped_column(primary_key=True)


# snippet: ondelete
class Tenant(Base):
    __tablename__ = "tenants"

    id: Mapped[int] = mapped_column(primary_key=True)
    house_id: Mapped[int] = mapped_column(ForeignKey("houses.id", ondelete="CASCADE"))
    house: Mapped["House"] = relationship(backref=backref("tenants", cascade="all", passive_deletes=True))
# end


# snippet: association
article_tags = Table(
    "article_tags",
    Base.metadata,
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
)
# end


# snippet: secondary
class Article(Base):
    __tablename__ = "articles"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    tags: Mapped[list["Tag"]] = relationship(secondary=article_tags, back_populates="articles")
# end


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    articles: Mapped[list["Article"]] = relationship(secondary=article_tags, back_populates="tags")


# snippet: events
@event.listens_for(Article, "before_insert")
@event.listens_for(Article, "before_update")
def check_title(mapper, connection, article):
    if not article.title:
        raise ValueError("an article needs a title")
# end


# snippet: constraints
class Reading(Base):
    __tablename__ = "readings"
    __table_args__ = (
        UniqueConstraint("reader", "article_id"),
        Index("ix_readings_article_id", "article_id"),
        CheckConstraint("page > 0"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reader: Mapped[str]
    article_id: Mapped[int]
    page: Mapped[int] = mapped_column(server_default="1")
# end


# snippet: enum
class CamType(enum.Enum):
    intake = "intake"
    exhaust = "exhaust"
# end


class Cam(Base):
    __tablename__ = "cams"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    # snippet: columns
    cam_type: Mapped[CamType] = mapped_column(Enum(CamType, native_enum=False, create_constraint=True, length=50))
    lift: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    profile_points: Mapped[list[dict]] = mapped_column(JSON().with_variant(JSONB, "postgresql"))
    # end

    # snippet: hybrid
    @hybrid_property
    def peak(self):
        return max(point["radius"] for point in self.profile_points)

    @peak.inplace.expression
    @classmethod
    def _peak(cls):
        point = func.json_each(cls.profile_points).table_valued("value", name="point")
        return select(func.max(cast(point.c.value.op("->>")("radius"), Float))).scalar_subquery()
    # end


class Account(Base):
    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("cents >= 0"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(unique=True)
    cents: Mapped[int] = mapped_column(server_default="0")


engine = create_engine("sqlite://")
log = []


@event.listens_for(engine, "connect")
def enforce_foreign_keys(connection, _):
    connection.execute("PRAGMA foreign_keys = ON")


@event.listens_for(engine, "before_cursor_execute")
def remember(connection, cursor, statement, parameters, context, executemany):
    if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
        log.append(statement.split()[0])


def sent():
    """The first word of each statement since the last call."""
    words = log.copy()
    log.clear()
    return words
