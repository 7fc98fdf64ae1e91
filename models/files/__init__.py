"""What commands read and write: images, .tfic files, models, checkpoints.

May import `models.codecs`, and the files beside the rooms.
"""
