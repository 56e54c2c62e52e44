"""From a viewer and a device to a page: candidate rows, the choice among them, the finished page.

`rows.py` proposes whole rows, `choose.py` picks and orders them so that the page as a whole is good, `build_page.py`
puts both together. All pure: the same inputs give the same page.
"""
