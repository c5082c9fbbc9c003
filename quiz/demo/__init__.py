"""Training calls to look at: two of one learner, and what a coach made of the first."""
