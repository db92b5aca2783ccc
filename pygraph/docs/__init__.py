"""The documentation: pages in Markdown, others that are made of the package itself, and the notebooks of the lessons.

Read `__main__.py` (the commands), `lesson_cells.py` (a lesson as cells of text and code), `notebooks.py` (cells as a
notebook).

Boundary: reads the package and its examples; nothing depends on it. Sphinx is imported by the build alone.
"""
