// Panel: profile.
