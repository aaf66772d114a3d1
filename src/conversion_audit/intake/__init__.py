"""What came in: exports read, cleaned, stitched and counted."""
