"""Image codecs, x -> y -> bytes -> x_hat, and one codec conditioned on the loss weights.

May import no other room of `models`, only the files beside the rooms. CompressAI's door.
"""

import warnings

# CompressAI's imports make torch warn of what CompressAI calls.
warnings.filterwarnings("ignore", category=FutureWarning, module="torch")
