"""How Sphinx builds the site; scripts/docs calls it."""

from __future__ import annotations

import sys
from pathlib import Path

import hybridflow

sys.path.insert(0, str(Path(__file__).parent / "site"))

project = "hybridflow"
author = "the hybridflow authors"
copyright = "the hybridflow authors, Apache License 2.0"
version = release = hybridflow.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "sphinx_design",
    "extension",
]
exclude_patterns = ["generated/*.md"]  # parts of a page
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}

# -- Markdown --------------------------------------------------------------------------------------
myst_enable_extensions = ["attrs_block", "colon_fence"]
myst_heading_anchors = 3

# -- docstrings ------------------------------------------------------------------------------------
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

# -- pages -----------------------------------------------------------------------------------------
html_theme = "furo"
html_title = f"hybridflow {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1d5fbf", "color-brand-content": "#1d5fbf"},
    "dark_css_variables": {"color-brand-primary": "#7db4ff", "color-brand-content": "#7db4ff"},
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
copybutton_remove_prompts = True
