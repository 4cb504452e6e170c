"""The Engine API: routes, and what they read, refuse and show. Knows no server and no socket."""
