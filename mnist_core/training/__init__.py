"""From settings to a trained network: configuration, presets, links, schedules, the loop, events, curves."""
