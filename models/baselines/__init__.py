"""What an engineer uses without training: image formats, bilevel and few-grey images, the text itself."""
