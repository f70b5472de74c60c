"""The first schema: collections, documents, passages, files, answers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("answer_id", sa.String(length=64), nullable=False),
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_answers")),
    )
    op.create_index(op.f("ix_answers_created_at"), "answers", ["created_at"], unique=False)
    op.create_table(
        "collections",
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("index_digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_collections")),
    )
    op.create_table(
        "answer_events",
        sa.Column("answer_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.answer_id"], name=op.f("fk_answer_events_answer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("answer_id", "seq", name=op.f("pk_answer_events")),
    )
    op.create_table(
        "documents",
        sa.Column("document_key", sa.Integer(), nullable=False),
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("doc_id", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("published_start", sa.Date(), nullable=True),
        sa.Column("published_end", sa.Date(), nullable=True),
        sa.Column("published_granularity", sa.String(length=16), nullable=True),
        sa.Column("published_approximate", sa.Boolean(), nullable=True),
        sa.Column("ingested_at", sa.String(length=32), nullable=False),
        sa.Column("superseded_by", sa.Text(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.collection_id"],
            name=op.f("fk_documents_collection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_key", name=op.f("pk_documents")),
        sa.UniqueConstraint("collection_id", "doc_id", "state", name=op.f("uq_documents_collection_id_doc_id_state")),
    )
    op.create_index(op.f("ix_documents_collection_id_source"), "documents", ["collection_id", "source"], unique=False)
    op.create_index(op.f("ix_documents_collection_id_state"), "documents", ["collection_id", "state"], unique=False)
    op.create_index(op.f("ix_documents_collection_id_uri"), "documents", ["collection_id", "uri"], unique=False)
    op.create_table(
        "files",
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.collection_id"], name=op.f("fk_files_collection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("collection_id", "uri", name=op.f("pk_files")),
    )
    op.create_table(
        "passages",
        sa.Column("document_key", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("passage_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("mentions", sa.Text(), nullable=True),
        sa.Column("holds", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_key"], ["documents.document_key"], name=op.f("fk_passages_document_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("document_key", "ordinal", name=op.f("pk_passages")),
    )
    op.create_index(op.f("ix_passages_passage_id"), "passages", ["passage_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_passages_passage_id"), table_name="passages")
    op.drop_table("passages")
    op.drop_table("files")
    op.drop_index(op.f("ix_documents_collection_id_uri"), table_name="documents")
    op.drop_index(op.f("ix_documents_collection_id_state"), table_name="documents")
    op.drop_index(op.f("ix_documents_collection_id_source"), table_name="documents")
    op.drop_table("documents")
    op.drop_table("answer_events")
    op.drop_table("collections")
    op.drop_index(op.f("ix_answers_created_at"), table_name="answers")
    op.drop_table("answers")
