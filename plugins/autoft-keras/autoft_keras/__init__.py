"""The Keras backend of autoft."""
