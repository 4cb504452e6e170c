"""Views that a kernel or a page keeps up to date."""

#: Of the assets: the steps, bars and points of plotly.js (npm's `plotly.js-basic-dist-min`). All
#: of it, as the plotly package has it, is four times as large, and a page needs three times as
#: long to load it.
PLOTLY = "plotly-basic-4.1.1.min.js"
