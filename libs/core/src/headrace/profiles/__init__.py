"""Facts about models, from models.dev, our augmentations, and the user's own file."""

from __future__ import annotations

from headrace.profiles.errors import ProfileError
from headrace.profiles.fields import FIELDS, Field
from headrace.profiles.lookup import find_profile, known_models, provider_label
from headrace.profiles.profile import ModelProfile

__all__ = [
    "FIELDS",
    "Field",
    "ModelProfile",
    "ProfileError",
    "find_profile",
    "known_models",
    "provider_label",
]
