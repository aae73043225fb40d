"""Models of PyTorch: read, loaded, judged, on one process or several."""
