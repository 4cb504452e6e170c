"""Views that need no kernel: SVG, HTML, figures, text."""
