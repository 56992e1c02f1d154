"""What grid and curves share: the baseline, its proxy, the trainings."""
