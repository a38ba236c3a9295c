"""What folders and files hold: listings, trees, thumbnails."""
