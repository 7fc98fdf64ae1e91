"""Frozen text recognizers, images -> text and a loss whose gradient reaches the images; OCR engines that only read.

May import neither codecs nor files. The doors of ONNX, RapidOCR and Tesseract.
"""
