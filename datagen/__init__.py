"""Text images for recognition: rendered with TextRecognitionDataGenerator, stored as Parquet shards."""
