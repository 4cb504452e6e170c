"""A view that needs no kernel: HTML for saved notebooks, and a page of its own. Pure.

What is drawn is drawn here once, in plain HTML and SVG. Inside JupyterLab it then brings
itself to life: a script hands the same data to the module that draws the live view
(`labkit.views.live.server` has it), so that hover, zoom and export work without a kernel.

Where that is not to be had, the plain one stays, in one of two forms. Hosts that show a
notebook without trusting it (JupyterLab until somebody trusts it, code hosts) strip
scripts and all of SVG but its words, so in a notebook a drawing is an image with its own
white ground. Where scripts run (an HTML export, nbviewer), one puts the drawing itself in
the image's place: in the page's own colours, and with the title that each bar has.
"""

from abc import ABC, abstractmethod
from base64 import b64encode
from typing import NamedTuple

from markupsafe import Markup

from labkit.views.live import page
from labkit.views.pages import render
from labkit.views.state.view_state import Json


class Drawing(NamedTuple):
    """An SVG, how high it is in pixels, and what it says in words."""

    svg: Markup
    height: int
    label: str

    @property
    def image(self) -> Markup:
        """It as an image on a white ground, that says the same in words."""
        on_white = str(self.svg).replace('style="', 'style="background:#fff;color:#222;', 1)
        source = "data:image/svg+xml;base64," + b64encode(on_white.encode()).decode()
        return Markup('<img src="{}" width="100%" height="{}" alt="{}">').format(
            source, self.height, self.label
        )


class Still(ABC):
    """Something drawn that Jupyter displays as HTML."""

    #: What it is of.
    title: str

    @abstractmethod
    def data(self) -> Json:
        """Return what the module in the page draws it from."""

    @abstractmethod
    def drawing(self) -> Drawing | None:
        """Return its charts, if it has any."""

    @abstractmethod
    def content(self, drawing: Markup) -> Markup:
        """Return it as HTML for where no script runs, with its charts in their place."""

    @property
    def html(self) -> str:
        """It as HTML that can stand in any page."""
        return self._rendered(
            "static/still.html", as_image=True, style=page.style(), plotly=page.PLOTLY
        )

    @property
    def page(self) -> str:
        """It as a page of its own, plotly.js included; it asks for nothing more."""
        library, module = page.plotly_script(), page.module()
        body = self._rendered(
            "static/still_page.html", as_image=False, library=library, module=module
        )
        return page.document(self.title, page.STYLES, body)

    @property
    def plain(self) -> Markup:
        """It as HTML, where no script runs and nothing strips its drawing."""
        drawing = self.drawing()
        return self.content(drawing.svg if drawing else Markup(""))

    def bundle(self, text: str) -> Json:
        """Return the representations that a notebook keeps; `text` is the plain one."""
        return {"text/plain": text, "text/html": self.html}

    def _repr_html_(self) -> str:
        return self.html

    def _rendered(self, template: str, *, as_image: bool, **what: object) -> Markup:
        drawing = self.drawing() if as_image else None
        content = self.content(drawing.image) if drawing else self.plain
        return render(template, title=self.title, content=content, data=self.data(), **what)
