"""A picture of who is connected with whom."""

import io
from typing import TYPE_CHECKING, Any, List, Sequence

from .answers import Node
from .errors import SwciError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHORT = {"SENTINEL": "SN", "FULLNODE": "SN", "SWOP": "SW"}


def draw(nodes: List[Node], colours: Sequence[str], attributes: Sequence[str]) -> "Figure":
    """`colours`: of SNs, SWOPs, SLs."""
    try:
        import networkx
        from matplotlib.figure import Figure
    except ImportError as error:
        text = f"plotTopology needs networkx and matplotlib: pip install swarmlearning[swci] ({error})"
        raise SwciError(text) from error
    graph: Any = networkx.Graph()
    for node in nodes:
        graph.add_node(node.UUID)
    known = set(graph)
    graph.add_edges_from((node.ParentUUID, node.UUID) for node in nodes if node.ParentUUID in known)
    sns = [node.UUID for node in nodes if node.is_sn]
    graph.add_edges_from((sns[0], other) for other in sns[1:])
    places: Any = networkx.spring_layout(graph, k=0.8, seed=1)
    figure = Figure(figsize=(8, 6))
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.margins(0.15)
    for one, other in graph.edges:
        axes.plot(*zip(places[one], places[other]), color="black", linewidth=1, zorder=1)
    for node in nodes:
        x, y = places[node.UUID]
        colour = colours[0] if node.is_sn else colours[1] if node.NodeType == "SWOP" else colours[2]
        lines = [SHORT.get(node.NodeType, node.NodeType), node.HostIP]
        lines += [node.attribute(name) for name in attributes if name not in ("NodeType", "HostIP")]
        axes.scatter([x], [y], s=3000, color=colour, edgecolors="black", zorder=2)
        axes.text(x, y, "\n".join(lines), ha="center", va="center", fontsize=8, zorder=3)
    return figure


def png_of(figure: "Figure") -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=100)
    return out.getvalue()
