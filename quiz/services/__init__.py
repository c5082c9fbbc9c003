"""Every write and calculation of quizzes, by topic."""
