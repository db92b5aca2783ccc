"""Settings of the whole test session: verification at every border, and the hypothesis profiles."""

from __future__ import annotations

import os

os.environ.setdefault("PYGRAPH_CHECK", "1")  # before pygraph reads it: every stage is verified after every pass

from hypothesis import HealthCheck, settings

settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
