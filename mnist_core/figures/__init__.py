"""Arrays to Plotly figures, all in one style; nothing here draws on a page."""
