"""The page for readers, `report.html`: shows report.json and samples as figures, tables and sentences.

`views` turn reports into data (`model`), and `figures` computes the positions of bars. `rendering` turns all of it into
one file of HTML without scripts, and `tables` into tables for a paper.
"""
