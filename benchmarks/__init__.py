"""What Seedbed is measured by: demonstrations on real data. No part of the installed package."""
