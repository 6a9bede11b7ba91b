"""What measures any generator of images: judges, references, figures."""
