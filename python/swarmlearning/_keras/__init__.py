"""Models of Keras: read, loaded, named, judged."""
