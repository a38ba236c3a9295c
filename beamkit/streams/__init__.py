"""Frames one after the other, as fast as they come: from files, detectors and memory."""
