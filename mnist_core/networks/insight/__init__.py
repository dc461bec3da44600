"""What a network looked at: feature maps, filters, occlusion, Grad-CAM."""
