"""The pages of quizzes."""
