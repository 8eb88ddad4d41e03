"""The page to look at, `report.html`: what report.json and samples say, as figures, tables and sentences.

`views` turn reports into data (`model`), `figures` places bars, and `rendering` writes all of it as one file of HTML
without scripts, or as tables for a paper.
"""
