"""The commands of `audit`, by the heading they stand under."""
