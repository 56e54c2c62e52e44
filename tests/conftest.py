"""For every test: real servers where there are any, and generated examples judged by their result.

Never by how long a busy machine took for one.
"""

from hypothesis import settings

pytest_plugins = ["tests.support.servers"]

settings.register_profile("marquee", deadline=None)
settings.load_profile("marquee")
