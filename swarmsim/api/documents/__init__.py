"""Objects of the engine as the API shows them; `constants.json` has what never changes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CONSTANTS: Json = json.loads(Path(__file__).with_name("constants.json").read_text(encoding="utf-8"))
