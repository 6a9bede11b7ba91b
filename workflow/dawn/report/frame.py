"""What the figures have in common: colours of text and areas, and the heading."""

from matplotlib.figure import Figure

INK, PAPER, SHADE = "black", "white", "0.75"


def heading(picture: Figure, text: str, below: str = "") -> None:
    """A bold line over the whole figure, and a plain smaller one under it."""
    picture.suptitle(text + ("\n" if below else ""), x=0.01, ha="left", fontsize=11, fontweight="bold")
    if below:
        # Placed from the upper edge in points, since the layout leaves the suptitle's two lines free.
        height = picture.get_figheight() * 72
        picture.text(0.01, 1 - 21 / height, below, ha="left", va="top", fontsize=9, color="0.25")
