"""The page's entry: `streamlit run ui/home.py`; asks and reads through the REST API, never runs the agent."""

import streamlit as st

from ui import shell
from ui.ask import page

st.set_page_config(page_title="Gnomon", page_icon=str(shell.ICON), layout="wide")
pages = [
    st.Page(page, title="Ask", icon=":material/search:", default=True),
    st.Page("pages/documents.py", title="Documents", icon=":material/folder_open:", url_path="documents"),
]
chosen = st.navigation(pages, position="hidden")
shell.frame(pages)
chosen.run()
