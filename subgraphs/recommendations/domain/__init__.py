"""Plain values: the catalogue as columns, a profile's taste, the device, the finished page.

They pass between stages and are never changed; nothing here knows a store, a clock or GraphQL. Arrays are indexed by
a title's place in its catalogue, which is meaningless in any other catalogue.
"""
