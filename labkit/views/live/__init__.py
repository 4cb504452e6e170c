"""Views that a kernel or a page keeps up to date."""

#: The file of plotly.js in `assets`, from npm's `plotly.js-basic-dist-min`: lines, bars and
#: points. The whole library, in the plotly package, is four times as large, and takes a page three
#: times as long to load.
PLOTLY = "plotly-basic-4.1.1.min.js"
