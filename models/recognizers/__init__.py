"""Frozen text recognizers, images -> text and a loss whose gradient reaches the images; OCR engines that only read.

May import no other room of `models`, only the files beside the rooms. The doors of ONNX, RapidOCR and Tesseract.
"""
