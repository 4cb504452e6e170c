"""What a hub needs before it starts, in the folder in which it will.

python …/deploy/jupyterhub/prepare.py passwords     print who is in the class, with passwords
"""

import sys
from pathlib import Path

from hashauthenticator import generate_password_digest
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

HERE = Path(__file__).parent


def configuration() -> Config:
    """Return what `jupyterhub_config.py` says in the current folder."""
    return PyFileConfigLoader("jupyterhub_config.py", str(HERE)).load_config()


def passwords() -> None:
    """Print the password of each name in the class."""
    settings = configuration()
    made_of = settings.HashAuthenticator
    for name in sorted(settings.Authenticator.allowed_users):
        digest = generate_password_digest(name, made_of.secret_key, made_of.password_length)
        print(f"{name}\t{digest}")


COMMANDS = {"passwords": passwords}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]]()
