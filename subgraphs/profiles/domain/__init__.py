"""What accounts, profiles, sessions and lists are, and the rules that hold for them, without any input or output.

Everything is immutable; the rules are plain functions that return the problems they find.
"""
