"""Rounds of a training in experiment trackers: MLflow, TensorBoard, Weights & Biases, or an object of the user's."""
