"""What a kernel reads before it starts, from `etc/ipython/` of its environment."""

import os
import sys

# a class shares its memory, and the debugger takes 7 MB of each kernel
if "JUPYTERHUB_SERVICE_URL" in os.environ:
    sys.modules["debugpy"] = None  # type: ignore[assignment]
