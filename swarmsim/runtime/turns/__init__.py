"""Tasks as programs of this one Python, which take turns: for a browser, which has no processes.

    fibers      stacks of their own: one runs until it waits, then it is another one's turn
    sockets     sockets in memory, and selectors for them
    program     a program: its modules, folder, variables, output, signals
    standing_in what the standard library is for programs: threads, sockets, signals, loops
    system      all of it, as a `System` of `swarmsim.runtime.processes`, and how a page asks

A program is Python, unchanged, and believes that it is alone. It takes second stacks, which
WebAssembly has by JavaScript Promise Integration.
"""
