"""A run, piece by piece: chapters executed, evidence kept, the cover worded, the folder published whole."""
