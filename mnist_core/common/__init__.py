"""What every other package uses: files, text, arrays, and where things lie."""
