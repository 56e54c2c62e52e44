"""What the catalogue is made of: plain frozen values and the rules between them, without stores, clocks or GraphQL.

`title.py` is the aggregate, `certificates.py` the rating tables, `browsing.py` what may be asked of a catalogue and
`artwork_reference.py` the ids that name an image.
"""
