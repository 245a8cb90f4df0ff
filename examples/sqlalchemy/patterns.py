"""The SQLAlchemy code of docs/from-sqlalchemy.md: SQLAlchemy 2.1 on SQLite in memory, every claim asserted.

    python patterns.py
"""

from decimal import Decimal

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as dialect_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload, selectinload, sessionmaker

from models import Account, Address, Article, Base, Cam, CamType, House, Reading, Tag, Tenant, User, engine, sent

# snippet: get_db
def get_db():
    with Session(engine) as session, session.begin():
        yield session
# end


def loading():
    with Session(engine) as session:
        # snippet: save graph
        for name in ["ann", "bob", "cid"]:
            home, work = Address(email=f"{name}@home.example"), Address(email=f"{name}@work.example")
            session.add(User(name=name, addresses=[home, work]))
        session.commit()
        # end
    sent()

    with Session(engine) as session:
        # snippet: lazy
        users = session.scalars(select(User)).all()
        emails = [address.email for user in users for address in user.addresses]
        assert len(sent()) == 1 + 3
        # end
        assert len(emails) == 6
    with Session(engine) as session:
        # snippet: selectin
        users = session.scalars(select(User).options(selectinload(User.addresses))).all()
        emails = [address.email for user in users for address in user.addresses]
        assert len(sent()) == 2
        # end
        assert len(emails) == 6
    with Session(engine) as session:
        # snippet: joined
        addresses = session.scalars(select(Address).options(joinedload(Address.user))).all()
        names = [address.user.name for address in addresses]
        assert len(sent()) == 1
        # end
        assert sorted(names) == ["ann", "ann", "bob", "bob", "cid", "cid"]
    with Session(engine) as session:
        # snippet: joined many
        users = session.scalars(select(User).options(joinedload(User.addresses))).unique().all()
        assert len(sent()) == 1
        # end
        assert [len(user.addresses) for user in users] == [2, 2, 2] and sent() == []
    with Session(engine) as session:
        # snippet: any
        bob = session.scalars(select(User).where(User.addresses.any(Address.email.startswith("bob@")))).one()
        # end
        assert bob.name == "bob"
        sent()


def cascades():
    with Session(engine) as session:
        ann = session.scalars(select(User).where(User.name == "ann")).one()
        # snippet: delete orphan
        ann.addresses = ann.addresses[:1]
        session.flush()
        assert sent() == ["SELECT", "SELECT", "DELETE"]
        # end
        bob = session.scalars(select(User).where(User.name == "bob")).one()
        sent()
        # snippet: cascade
        session.delete(bob)
        session.flush()
        assert sent() == ["SELECT", "DELETE", "DELETE"], "both addresses in one executemany"
        # end
        house = House(tenants=[Tenant(), Tenant()])
        session.add(house)
        session.commit()
        house = session.get(House, house.id)
        sent()
        # snippet: passive deletes
        session.delete(house)
        session.flush()
        assert sent() == ["DELETE"]
        # end
        assert session.scalars(select(Tenant)).all() == []


def statements():
    with Session(engine) as session:
        session.add(Article(title="One", tags=[Tag(name="rust"), Tag(name="sql")]))
        session.flush()
        sent()
        # snippet: statements
        rows = [{"title": title} for title in ["Two", "Three"]]
        added = session.scalars(insert(Article).returning(Article), rows).all()

        titles = select(Article.title).where(Article.title.startswith("T") | (Article.id == 1))
        titles = titles.order_by(Article.title).limit(2)
        titles = session.scalars(titles).all()

        change = update(Article).values(title="II")
        changed = session.execute(change.where(Article.title == "Two")).rowcount

        removal = delete(Article).where(Article.title.in_(["II", "Three"]))
        removed = session.execute(removal).rowcount
        # end
        assert (len(added), changed, removed) == (2, 1, 2) and titles == ["One", "Three"]
        for page in [3, 7]:
            # snippet: upsert
            upsert = dialect_insert(Reading).values(reader="ann", article_id=1, page=page)
            upsert = upsert.on_conflict_do_update(
                index_elements=["reader", "article_id"], set_={"page": upsert.excluded.page}
            )
            row = session.scalars(upsert.returning(Reading), execution_options={"populate_existing": True}).one()
            # end
            assert (row.id, row.page) == (1, page)
        session.add(Article(title=""))
        try:
            session.flush()
            raise AssertionError("the event refuses")
        except ValueError:
            session.rollback()


def cams():
    with Session(engine) as session:
        points = [{"angle": 0, "radius": 15.5}, {"angle": 60, "radius": 27.84}]
        session.add(Cam(name="in", cam_type=CamType.intake, lift=Decimal("12.34"), profile_points=points))
        session.flush()
        # snippet: json query
        high = session.scalars(select(Cam).where(Cam.peak > 26.0)).all()
        # end
        assert [(cam.name, cam.peak) for cam in high] == [("in", 27.84)]


def sessions():
    # snippet: commit
    with Session(engine) as session, session.begin():
        session.add_all([Account(owner="ann", cents=100), Account(owner="bob")])
    # end
    sent()
    with Session(engine) as session:
        # snippet: rollback
        try:
            with session.begin():
                session.execute(update(Account).where(Account.owner == "bob").values(cents=Account.cents + 500))
                session.execute(update(Account).where(Account.owner == "ann").values(cents=Account.cents - 500))
        except IntegrityError:
            pass  # rolled back
        # end
        assert session.scalars(select(Account.cents).order_by(Account.id)).all() == [100, 0]
    with Session(engine) as session:
        # snippet: savepoint
        session.add(Account(owner="cid"))
        try:
            with session.begin_nested():
                session.add(Account(owner="ann"))
        except IntegrityError:
            pass  # back to the savepoint
        session.commit()
        # end
    for session in get_db():
        assert len(session.scalars(select(Account)).all()) == 3
    with Session(engine) as session:
        # snippet: values
        ann = session.scalars(select(Account).where(Account.owner == "ann")).one()
        assert ann is session.get(Account, ann.id)  # the identity map: one object for one row
        ann.cents = 70
        session.commit()  # the unit of work finds the change, and sends it
        # end
        sent()
        assert ann.cents == 70
        assert sent() == ["SELECT"], "expired by the commit, read again"
    # snippet: expire_on_commit
    LocalSession = sessionmaker(engine, expire_on_commit=False)
    # end
    with LocalSession() as session:
        ann = session.get(Account, 1)
        session.commit()
        sent()
        assert ann.cents == 70 and sent() == []


Base.metadata.create_all(engine)
loading()
cascades()
statements()
cams()
sessions()
print("SQLAlchemy does as the page says")
