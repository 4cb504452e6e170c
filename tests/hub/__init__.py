"""A class on JupyterHub (`deploy/jupyterhub/`)."""
