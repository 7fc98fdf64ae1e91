"""The names that command lines take and configurations hold. Imports nothing heavy, so that commands can say them."""

from typing import Literal, get_args

PresetName = Literal["paper", "cpu", "smoke"]
"""A sweep that comes with its whole configuration."""
StrategyName = Literal["conditional", "shared", "continued", "independent"]
"""Where a trial's codec comes from: folded out of one conditioned on (lambda, beta), trained from the stage 1 of its
lambda, from the nearest finished trial, or from a stage 1 of its own."""
STRATEGIES: tuple[StrategyName, ...] = get_args(StrategyName)
SamplerName = Literal["tpe", "gp", "nsga2", "qmc", "random", "grid"]
"""What proposes the next point."""
Setting = Literal["distortion_weight", "learning_rate", "steps"]
"""What of stage 2 can be searched beside lambda and beta."""
Labels = Literal["truth", "pseudo"]
"""What the recognizer is to read in training: the data set's texts, or what it reads in the original itself."""
Target = Literal["image", "text"]
"""What a codec is to give back beside what the recognizer reads: the image, or the text alone, black on white."""
BaselineSet = Literal["all", "few"]
"""Codecs without training that a front is compared with: all that are known, or two of them at a few sizes."""
