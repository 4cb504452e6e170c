"""What every room uses: errors, settings, output, waiting."""
