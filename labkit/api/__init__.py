"""What the names in `import labkit` do."""
