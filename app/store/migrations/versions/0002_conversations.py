"""Conversations, and which of them an answer belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_conversations")),
    )
    op.create_index(op.f("ix_conversations_created_at"), "conversations", ["created_at"], unique=False)
    op.add_column("answers", sa.Column("conversation_id", sa.String(length=64), nullable=True))
    op.create_index(
        op.f("ix_answers_conversation_id_created_at"), "answers", ["conversation_id", "created_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_answers_conversation_id_created_at"), table_name="answers")
    op.drop_column("answers", "conversation_id")
    op.drop_index(op.f("ix_conversations_created_at"), table_name="conversations")
    op.drop_table("conversations")
