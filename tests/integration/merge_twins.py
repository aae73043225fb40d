"""What each merge method is to give, in numpy: from a list of models (dicts of arrays) that all weigh the same."""

import numpy as np


def flat(model):
    return np.concatenate([np.ravel(np.asarray(value, float)) for value in model.values()])


def unflat(vector, like):
    out, at = {}, 0
    for name, value in like.items():
        size = np.asarray(value).size
        out[name] = vector[at : at + size].reshape(np.shape(value))
        at += size
    return out


def mean(points):
    return points.mean(axis=0)


def coordmedian(points):
    return np.median(points, axis=0)


def trimmedmean(points, part):
    away = int(np.ceil(part * len(points)))
    return np.sort(points, axis=0)[away : len(points) - away].mean(axis=0)


def geomedian(points):
    at = points.mean(axis=0)
    for _ in range(5000):
        ways = np.maximum(np.linalg.norm(points - at, axis=1), 1e-12)
        at = (points / ways[:, None]).sum(axis=0) / (1 / ways).sum()
    return at


def multikrum(points, hostile, chosen):
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    nearest = np.sort(squared, axis=1)[:, 1 : len(points) - hostile - 1]
    return points[np.argsort(nearest.sum(axis=1))[: int(chosen)]].mean(axis=0)


def clippedmean(points, norm):
    center = np.median(points, axis=0)
    ways = points - center
    lengths = np.linalg.norm(ways, axis=1, keepdims=True)
    return center + (ways * np.minimum(1, norm / np.maximum(lengths, 1e-30))).mean(axis=0)


def merged(method, models):
    name, _, arguments = method.partition(":")
    numbers = [float(number) for number in arguments.split(",") if number]
    points = np.stack([flat(model) for model in models])
    if name == "krum":
        name, numbers = "multikrum", [*numbers, 1]
    if name == "multikrum":
        numbers = [int(number) for number in numbers]
    return unflat(globals()[name](points, *numbers), models[0])
