"""Reads what a picture says: letters, codes that a camera would follow, and registered marks. No database."""
