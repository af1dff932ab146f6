"""One module per step: it parses what was typed, calls one workflow step and renders. Templates decide nothing."""
