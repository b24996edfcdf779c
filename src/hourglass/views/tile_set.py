"""A small tile set of our own: one square picture for each kind of tile, chosen by what its legend says of it.

A tile without a legend, or of a kind that nothing here draws, is a square of a colour of its own with its letter in it.
"""

from __future__ import annotations

import colorsys
import functools

import numpy as np

SIDE = 8  # pixels
COLOURS = {
    " ": (206, 228, 245), "#": (150, 92, 52), "+": (108, 62, 34), "=": (190, 130, 84), "k": (44, 40, 48),
    "s": (128, 128, 138), "d": (84, 84, 94), "l": (186, 186, 194), "g": (52, 150, 66), "G": (24, 82, 36),
    "h": (140, 214, 130), "y": (240, 184, 40), "Y": (166, 112, 12), "r": (204, 48, 48), "R": (128, 24, 32),
    "w": (255, 255, 255), ".": (248, 248, 250), "L": (236, 236, 240), "b": (58, 110, 190), "B": (120, 170, 230),
}  # fmt: skip
SPRITES = {
    "empty": ["        "] * 8,
    "ground": ["========", "########", "###+####", "########", "#+####+#", "########", "####+###", "++++++++"],
    "brick": ["===+====", "===+====", "===+====", "++++++++", "=======+", "=======+", "=======+", "++++++++"],
    "stone": ["llllllld", "lssssssd", "lssssssd", "lssssssd", "lssssssd", "lssssssd", "lssssssd", "dddddddd"],
    "question": ["YYYYYYYY", "Yy...yyY", "Yyyyy.yY", "Yyyy.yyY", "Yyyyyyyy", "Yyyy.yyY", "YyyyyyyY", "YYYYYYYY"],
    "used": ["++++++++", "+======+", "+======+", "+==++==+", "+==++==+", "+======+", "+======+", "++++++++"],
    "top-left": ["GGGGGGGG", "Ghhggggg", "Ghhggggg", "Ghhggggg", "Ghhggggg", "Ghhggggg", "GGGGGGGG", " Ghggggg"],
    "top-right": ["GGGGGGGG", "gggggggG", "gggggggG", "gggggggG", "gggggggG", "gggggggG", "GGGGGGGG", "ggggggG "],
    "left": [" Ghggggg"] * 8,
    "right": ["ggggggG "] * 8,
    "coin": ["        ", "   YY   ", "  YyyY  ", "  YwyY  ", "  YwyY  ", "  YyyY  ", "   YY   ", "        "],
    "enemy": ["  RRRR  ", " RrrrrR ", "RrwrrwrR", "RrkrrkrR", "RrrrrrrR", " RRRRRR ", " kk  kk ", "kkk  kkk"],
    "hazard": ["        ", "   R    ", "   R   R", "  RrR RR", "  RrR Rr", " RrrrRrr", " RrrrRrr", "RrrrrRrr"],
    "platform": ["========", "########", "++++++++", "        ", "        ", "        ", "        ", "        "],
    "ladder": [" +    + ", " ++++++ ", " +    + ", " +    + "] * 2,
    "door": ["dddddddd", "d######d", "d#+##+#d", "d#+##+#d", "d#+##y#d", "d#+##+#d", "d#+##+#d", "d######d"],
    "cannon top": [" kkkkkk ", "kkddddkk", "kdllsddk", "kdlssddk", "kdsssddk", "kkddddkk", " kkkkkk ", "  kllk  "],
    "cannon": ["  kldk  ", "  kldk  ", " kklddk ", " klldsk "] * 2,
    "water": ["bbbbbbbb", "bBBbbBBb", "BbbBBbbB", "bbbbbbbb"] * 2,
    "hole": ["LLLL....", "LLLL....", "LLLL....", "LLLL....", "....LLLL", "....LLLL", "....LLLL", "....LLLL"],
}
# the first whose words are all in the legend of a tile draws it
DRAWN: tuple[tuple[str, str], ...] = (
    ("top-left pipe", "top-left"), ("top-right pipe", "top-right"), ("left pipe", "left"), ("right pipe", "right"),
    ("empty question", "used"), ("question", "question"), ("cannon top", "cannon top"), ("cannon", "cannon"),
    ("enemy", "enemy"), ("coin", "coin"), ("collect", "coin"), ("spike", "hazard"), ("hazard", "hazard"),
    ("door", "door"), ("ladder", "ladder"), ("climb", "ladder"), ("rope", "ladder"), ("platform", "platform"),
    ("water", "water"), ("break", "brick"), ("brick", "brick"), ("ground", "ground"), ("wall", "stone"),
    ("solid", "stone"), ("floor", "empty"), ("empty", "empty"), ("air", "empty"), ("sky", "empty"),
)  # fmt: skip
BY_LETTER: dict[str | int, str] = {
    **dict.fromkeys("-. _", "empty"),
    **dict.fromkeys("#X", "ground"),
    0: "empty",
    -1: "empty",
}


def sprite(name: str) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8 of one of `SPRITES`."""
    return np.array([[COLOURS[letter] for letter in row] for row in SPRITES[name]], dtype=np.uint8)


@functools.lru_cache(maxsize=4096)
def tile_picture(tile: str | int, words: str = "") -> np.ndarray:
    """(SIDE, SIDE, 3) uint8 of a tile with these words in its legend."""
    said = words.lower()
    for needed, name in DRAWN:
        if said and all(word in said for word in needed.split()):
            return sprite(name)
    if tile in BY_LETTER and not said:
        return sprite(BY_LETTER[tile])
    place = ord(tile) if isinstance(tile, str) else int(tile)
    colour = 255 * np.array(colorsys.hsv_to_rgb(place * 0.6180339887 % 1, 0.45, 0.85))  # golden angle: far apart
    picture = np.empty((SIDE, SIDE, 3), dtype=np.uint8)
    picture[:] = colour
    _write(picture, tile if isinstance(tile, str) else str(place)[-1], (colour / 3).astype(np.uint8))
    return picture


def _write(picture: np.ndarray, letter: str, colour: np.ndarray) -> None:
    """A letter in the middle of a picture."""
    from PIL import ImageFont

    try:
        mask = ImageFont.load_default_imagefont().getmask(letter)
    except UnicodeEncodeError:  # the small font has Latin letters alone
        return
    ink = np.array(mask, dtype=np.uint8).reshape(mask.size[::-1]) > 0
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not len(rows):
        return
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][:SIDE, :SIDE]
    top, left = (SIDE - ink.shape[0]) // 2, (SIDE - ink.shape[1]) // 2
    picture[top : top + ink.shape[0], left : left + ink.shape[1]][ink] = colour
