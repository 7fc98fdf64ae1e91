"""The encoder for devices that have no PyTorch: networks in ONNX, tables, and a script that writes .tfic files."""
