"""The library beside its peers: accuracy, speed, and where its constants come from."""
