"""What taking noise off pictures adds: models of noise, patches to learn from, tiles, estimates of noise."""
