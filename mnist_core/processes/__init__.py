"""What runs beside the server: training processes and their queue, the inference process, their cost and limits."""
