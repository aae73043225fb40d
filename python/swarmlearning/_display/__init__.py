"""What a person sees of it: log lines, a progress line, a live view."""
