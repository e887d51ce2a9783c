"""What a figure is worth: intervals and the bootstrap. numpy alone."""
