"""Pretraining of the built-in backbone on procedurally generated images alone: `python -m tools.pretrain`.

Shapes (`fractals`, `contours`, `strokes`) and surfaces (`textures`) are made by formulas, put together by `compose`,
stored by `bank`, seen through two random `views`, and learned by `train`, which `export` turns into the shipped file.
"""

#: Goes up whenever the same seed would give other images.
GENERATOR_VERSION = 2
