"""What a model file is called, by the book: merge/model/manifest.hpp; RFC 6962, section 2.1, for the tree."""

import hashlib

CHUNK = 1 << 20


def chunk_hashes(file):
    return [hashlib.sha256(file[at : at + CHUNK]).digest() for at in range(0, len(file), CHUNK)]


def tree_root(hashes):
    """Of the largest power of two that is less than all, and of the rest."""
    if len(hashes) == 1:
        return hashes[0]
    left = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + tree_root(hashes[:left]) + tree_root(hashes[left:])).digest()


def _head(size):
    return b"swarmd model v2" + size.to_bytes(8, "big") + CHUNK.to_bytes(8, "big")


def digest_of(size, hashes):
    return hashlib.sha256(_head(size) + tree_root(hashes)).digest()


def manifest_of(size, hashes):
    """What a node answers that has the file."""
    return _head(size) + b"".join(hashes)
