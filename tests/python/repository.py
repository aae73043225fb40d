"""Where this tree lies. A module of its own: two folders have a conftest, and only one of them can be imported."""

import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
