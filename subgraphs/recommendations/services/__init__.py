"""What recommendations does, one verb per file: serve pages, say what is like a title, take feedback, follow events.

`keep_models` owns the catalogue in memory and learns in the background; everything else reads what it holds at the
moment.
"""
