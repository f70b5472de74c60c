"""What every page has: its look, its connection to the server, and words for when the server is not there."""

import os
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app.api.schemas import CollectionBody
from ui.client import DEFAULT_API, ApiError, Client
from ui.escaping import as_html, as_markdown
from ui.rendering import collection_label

STYLE = Path(__file__).parent / "style.css"
ICON = Path(__file__).parent / "gnomon.svg"
SUN = '<span class="gn-sun"></span>'
BRAND = f'<div class="gn-brand">{SUN}<div><b>Gnomon</b><span>Answers that show their evidence</span></div></div>'


def client() -> Client:
    """Return the connection to the server that the environment names."""
    return _client(os.environ.get("GNOMON_API") or DEFAULT_API, os.environ.get("GNOMON_SERVER__TOKEN"))


@st.cache_resource(show_spinner=False, on_release=Client.close)
def _client(address: str, token: str | None) -> Client:
    return Client(address, token=token)


def frame(pages: Sequence[StreamlitPage]) -> None:
    """Bring in the page's look, and its brand and links at the top of the sidebar."""
    st.html(STYLE)
    with st.sidebar:
        st.html(BRAND)
        for page in pages:
            st.page_link(page)


def pick_collection(rows: Sequence[CollectionBody]) -> CollectionBody | None:
    """Show the choice of a collection; return the chosen one, which every page remembers."""
    by_id = {row.collection_id: row for row in rows}
    ids = list(by_id)
    remembered = st.session_state.get("collection")
    chosen = st.selectbox(
        "Collection",
        ids,
        format_func=lambda key: collection_label(by_id[key]),
        index=ids.index(remembered) if remembered in by_id else 0,
        placeholder="No collection yet",
    )
    st.session_state["collection"] = chosen
    return by_id.get(chosen)


def server_line(address: str) -> None:
    """Show at which server the page works."""
    st.html(f'<div class="gn-server"><span class="gn-dot"></span>{as_html(address)}</div>')


def show_error(error: ApiError) -> None:
    """Show why the server refused, or that it is not there."""
    if error.code == "unreachable":
        st.html(f'<div class="gn-end gn-failed"><h3>The server is not there</h3><p>{as_html(str(error))}</p></div>')
        st.button("Try again", key="retry")
        return
    st.warning(as_markdown(str(error)), icon=":material/info:")
