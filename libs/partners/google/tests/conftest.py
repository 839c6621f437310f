"""Lets the test modules here import what they share: `google_server`, `google_said`."""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
