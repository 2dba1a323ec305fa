from hypothesis import HealthCheck, settings

# A test asserts no time: a busy machine must not turn an example that took long into a failure.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")
