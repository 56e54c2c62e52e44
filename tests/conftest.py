"""For every test: generated examples are judged by their result, never by how long a busy machine took for one."""

from hypothesis import settings

settings.register_profile("marquee", deadline=None)
settings.load_profile("marquee")
