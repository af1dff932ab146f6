"""What the school's policy asks, in plain Python: findings, verdict, who may approve, and the last gate."""
