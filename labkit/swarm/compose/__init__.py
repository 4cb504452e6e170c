"""Compose files, checked whole and turned into what `docker stack deploy` sends. Pure.

    loading ─┬─ reading   YAML as docker reads it
             ├─ language  what a file may say: keys and kinds, short forms, $VARIABLES
             ├─ merging   -c one.yml -c two.yml
             └─ checks    what the parts of a file say of one another
    specs                 the objects of the Engine API

`load` reports every mistake at once, each with its path inside the file, as
`BadComposeFile`; nothing is sent anywhere from here.

Why a table and a reader of our own, and no library: those that know compose files
(compose-spec 0.2 and compose-pydantic 0.2 were tried) follow the Compose Specification,
which is another language than the format 3 of `docker stack deploy`. compose-pydantic takes
`mem_limit:`, `extends:`, `cpus:` and a mapping in `depends_on`, all of which docker refuses,
reads `replicas: "3"` as a number, which docker refuses too, and lets `stop_grace_period:
soon` and port 99999 pass; compose-spec stops at the first mistake, and refuses `cpus: 2`.
jsonschema with docker's published schema would know the right keys, but of a value with a
short and a long form (ports, volumes, configs) it says "is not valid under any of the given
schemas", and the conversion has to be written all the same. Models of pydantic found the
same mistakes in twice the lines, and half of the time of `labkit stack deploy` went into
importing and building them.
"""

from labkit.swarm.compose.loading import Compose, load

__all__ = ["Compose", "load"]
