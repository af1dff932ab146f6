"""Posts, their sealed versions and their pictures, from first draft to what became of each publication."""
