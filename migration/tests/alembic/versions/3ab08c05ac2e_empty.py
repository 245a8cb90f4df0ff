"""empty"""

revision = "3ab08c05ac2e"
down_revision = "9c233d73b605"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
