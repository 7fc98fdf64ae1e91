"""Image codecs, frozen text recognizers, the losses between them and the .tfic file format."""
