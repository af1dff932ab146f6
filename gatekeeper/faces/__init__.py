"""Finds every face in a picture, covers those that may not be shown, compares them where a school switched that on."""
