"""The documents of a collection: listed with their states, and sent in."""

from typing import Literal

import streamlit as st

from app.api.schemas import CollectionBody, DocumentBody, JobBody
from ui import shell
from ui.client import ApiError, Client
from ui.escaping import as_markdown
from ui.rendering import published_words

POLL_SECONDS = 1.0
KINDS = ["txt", "md", "markdown", "html", "htm", "pdf", "docx", "csv", "tsv", "jsonl"]


def main() -> None:
    """Show the page."""
    client = shell.client()
    try:
        rows = client.collections()
        with st.sidebar:
            collection = shell.pick_collection(rows)
            _new_collection(client)
            shell.server_line(client.address)
        if collection is None:
            st.html('<div class="gn-end"><h3>No collection yet</h3><p>Make one in the sidebar.</p></div>')
            return
        _show(client, collection)
    except ApiError as error:
        shell.show_error(error)


def _new_collection(client: Client) -> None:
    with st.popover("New collection", icon=":material/add:", width="stretch"), st.form("new", border=False):
        name = st.text_input("Name", placeholder="letters-1890", help="a-z, 0-9, - and _")
        if st.form_submit_button("Make it", type="primary") and name:
            st.session_state["collection"] = client.create_collection(name.strip()).collection_id
            st.rerun()


def _show(client: Client, collection: CollectionBody) -> None:
    counts = f"{collection.documents} documents \u00b7 {collection.passages} passages"
    title = f'<h2 class="gn-question">Documents of {collection.collection_id}</h2>'
    st.html(f'{title}<div class="gn-meta">{counts} can be found</div>')
    with st.form("upload", clear_on_submit=True):
        files = st.file_uploader("Add files", type=KINDS, accept_multiple_files=True, key="files")
        if st.form_submit_button(f"Add to {collection.collection_id}", type="primary") and files:
            job = client.upload(collection.collection_id, [(file.name, file.getvalue()) for file in files])
            st.session_state["job"] = job.job_id
    if "job" in st.session_state:
        _job(client, st.session_state["job"])
    _list(client.documents(collection.collection_id))


@st.fragment(run_every=POLL_SECONDS)
def _job(client: Client, job_id: str) -> None:
    """Show how far an upload is, until it is done."""
    job = client.job(job_id)
    over = job.state in ("finished", "failed")
    if over and st.session_state.get("job_over") != job_id:
        st.session_state["job_over"] = job_id
        st.rerun()
    status = st.status(_label(job), state=_state(job), expanded=True)
    for file in job.documents:
        status.markdown(f"{as_markdown(file.filename)} \u2014 **{file.state}** {as_markdown(file.error)}")


def _label(job: JobBody) -> str:
    done = sum(file.state in ("ready", "failed") for file in job.documents)
    return f"Upload: {job.state}, {done} of {len(job.documents)} files done"


def _state(job: JobBody) -> Literal["running", "complete", "error"]:
    bad = job.state == "failed" or any(file.state == "failed" for file in job.documents)
    return "running" if job.state in ("queued", "running") else "error" if bad else "complete"


def _list(documents: list[DocumentBody]) -> None:
    if not documents:
        st.html('<p class="gn-quiet">This collection is empty.</p>')
        return
    rows = [_row(document) for document in sorted(documents, key=lambda one: one.state == "ready")]
    if not any(row["Error"] for row in rows):
        rows = [{name: value for name, value in row.items() if name != "Error"} for row in rows]
    st.dataframe(rows, hide_index=True, width="stretch", height="auto")


def _row(document: DocumentBody) -> dict[str, str | int]:
    return {
        "Title": document.title or document.doc_id,
        "Published": published_words(document.published),
        "State": document.state,
        "Passages": document.passages,
        "File": document.uri.rsplit("/", 1)[-1],
        "Error": document.error,
    }


main()
