"""Images: built, tagged, pushed, and the base image they stand on."""
