"""Drawings of graphs, laid out here and written as SVG, PNG and DOT without any external program.

Read `drawn_parts.py` (operations in calls, and which are folded), `scene.py` (where they are), `svg_text.py`,
`png_image.py`, `dot_text.py` and `html_page.py` (what a drawing is written as), `drawn.py` (a `Drawing`).

Boundary: it reads graphs; nothing is computed, differentiated or lowered here. Boxes and edges of one level are laid
out by `layout.py` of the package around it.
"""
