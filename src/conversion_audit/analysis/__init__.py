"""What the tables mean: rules, goals, journey, intent, friction, plan, change."""
