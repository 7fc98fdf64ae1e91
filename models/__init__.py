"""Image codecs, frozen text recognizers, the losses between them and the .tfic file format."""

import warnings

# CompressAI's imports make torch warn of what CompressAI calls.
warnings.filterwarnings("ignore", category=FutureWarning, module="torch")
