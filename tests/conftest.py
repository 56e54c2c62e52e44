"""For every test: real servers where there are any, and generated examples judged by their result.

Never by how long a busy machine took for one.
"""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.servers"]

settings.register_profile("marquee", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("marquee")
