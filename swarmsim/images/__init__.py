"""Images of the simulated engine: built, tagged, pulled, pushed, kept in a folder.

    words        quotes, escapes and variables of a Dockerfile
    dockerfile   a Dockerfile, cut into instructions and checked (with `healthcheck`)
    steps        what each instruction does to a config
    copying      which files COPY and ADD mean
    trees        archives, and paths that stay in their folder
    documents    what an image is: the document whose hash is its id
    registry     what stands in for a registry, and the names that this machine stands in for
    store        all images of an engine, on the disk
    pulling      a pull, as the stream of what the engine says
    building     a build, as such a stream (each step: `taking`)
    removing     what goes with an image, and what keeps it
    listing      images as the Engine API shows them

A build executes no RUN, and takes no image from outside: see `registry`.
"""

from swarmsim.images.documents import Image
from swarmsim.images.store import Images

__all__ = ["Image", "Images"]
