"""The platforms: each channel promises at most one posting call per order, and an honest word on what became of it."""
