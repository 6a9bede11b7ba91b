"""Measures of generated images: of features, logits and pixels, with intervals over the images (docs/measures.md)."""
