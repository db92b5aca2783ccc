"""What Sphinx is told; `python -m pygraph.docs` runs it."""

from __future__ import annotations

project = "pygraph"
author = "the authors of pygraph"
extensions = ["myst_parser"]
exclude_patterns: list[str] = []
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]
html_theme = "furo"
html_title = "pygraph"
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["pygraph.css"]
highlight_language = "text"
pygments_style = "friendly"
pygments_dark_style = "monokai"
suppress_warnings: list[str] = []
