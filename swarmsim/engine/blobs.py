"""Configs and secrets: named bytes that services refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, kw_only=True)
class Blob:
    """A config or a secret; `spec` is as it was given, its data as bytes."""

    id: str
    version: int
    created_at: int
    updated_at: int
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name, which no update can change."""
        return str(self.spec["Name"])

    @property
    def data(self) -> bytes:
        """What it holds."""
        return bytes(self.spec.get("Data") or b"")
