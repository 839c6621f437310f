"""The engine: one coroutine per step, driven by hand or awaited; one budget; one run."""
