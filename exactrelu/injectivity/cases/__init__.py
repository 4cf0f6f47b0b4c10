"""The proof by cases: which rows are in F, until their rank is n in every case; what is asked of linear programs on the way."""
