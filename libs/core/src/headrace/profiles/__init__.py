"""Facts about models, from models.dev, our augmentations, and the user's own file."""

from __future__ import annotations

from headrace.profiles.errors import ProfileError
from headrace.profiles.fields import FIELDS, Field
from headrace.profiles.lookup import find_profile, known_models, provider_label
from headrace.profiles.pricing import Cost, cost_of, cost_range, mode_of, worst_case
from headrace.profiles.profile import ModelProfile

__all__ = [
    "FIELDS",
    "Cost",
    "Field",
    "ModelProfile",
    "ProfileError",
    "cost_of",
    "cost_range",
    "find_profile",
    "known_models",
    "mode_of",
    "provider_label",
    "worst_case",
]
