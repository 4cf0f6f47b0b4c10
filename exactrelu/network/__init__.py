"""What is analysed: networks as exact affine maps with a relu on marked coordinates."""
