"""What is drawn: a live view, what stays of it, replays, comparisons, figures, text.

Views draw recordings and poll nothing. `state/view_state.py` says what there is to see, the
modules in `assets/js` draw it in the page, those in `parts` where there is no kernel.

Each name in `__init__.pyi` is loaded when it is first used: the Jupyter server needs
`labkit.views.live.page` and no widgets, and text needs no Plotly.
"""

from labkit.base.lazy import attach_stub

#: No module is called what it gives: importing it would hide the name behind the module.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
