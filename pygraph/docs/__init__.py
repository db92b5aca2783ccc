"""The documentation: pages in Markdown, others that are made of the package itself, and the notebooks of the lessons.

Read `__main__.py` (the commands), `site_build.py` (what the site is put together from; `pages` are written by hand),
`lesson_cells.py`, `lesson_pages.py` and `notebooks.py` (a lesson as cells, as a page, as a notebook),
`docstring_markdown.py` and `reference_pages.py` (the reference), `operation_table.py` and `coverage_page.py` (tables
of what there is and is not), `conf.py` (for Sphinx).

Boundary: reads the package and its examples; nothing depends on it. Sphinx is imported by the build alone.
"""
