"""What every framework's callback does: its arguments, when it syncs, what is shared, how it ends."""
