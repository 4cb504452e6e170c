"""The ways into an engine: in this process, on a socket, and by messages where there are none.

inprocess    docker-py, each call of which runs a route
server       HTTP on a unix socket
posted       messages; `posting` is docker-py's side of it, `in_browser` an engine in a page
loop         an engine on an event loop, for the last two
"""
