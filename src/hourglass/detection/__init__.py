"""What a detector adds to an autoencoder: anomaly scores, calibrated thresholds, and reasons."""
