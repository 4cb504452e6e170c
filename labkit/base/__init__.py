"""What every room uses: errors, settings, output, jobs and waiting for something."""
