"""Reports that a person would read: one document, written as a page, as Markdown and as PDF.

A report is a :class:`~noria.reports.document.Document`, made once; how it looks is the business of one file
for each form. What a single run came to is told in :mod:`noria.reports.run_report`.
"""
