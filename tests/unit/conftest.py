"""What the unit tests share."""

from hypothesis import settings

# On a busy machine a deadline fails tests that are right.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
