"""A simulated Swarm engine: the Docker Engine API over a unix socket, with no Docker beneath.

The rules of Swarm are in `swarmsim.model`, which is pure. Here is what surrounds them: a
server that speaks HTTP, the clock, images that are built for real, and the processes that
stand for containers. `python -m swarmsim --socket PATH` runs it.

    __main__     the program
    app          all routes, the socket, the end
    server       HTTP with tornado; http is what routes see of it
    routes/      the API, a module for each kind of thing, over these:
      gojson, shapes, apitypes      JSON as Go reads and writes it; the API's structs
      specs, validation, templates  a service's spec: stored, shown, refused
      checks                        the same against everything else that there is
      filters, lookup, names        lists, and what clients call things by
      objects, inspection           services, tasks, nodes, containers as they are shown
      problems, wire                errors; times as text
    engine       everything there is, and how it moves with
      clock                         wall time at a multiple, or in real time
      allocation, networks          ports and addresses
      containers                    what `docker ps` shows; drives the processes
      swarm, blobs                  the swarm itself; configs and secrets
      events, journal               what happened
      logs, reading                 what containers wrote
    images/      Dockerfiles, builds, the store
    processes/   tasks as processes of this machine
"""
