"""Which tasks a service needs: orchestrators, updates, restarts."""
