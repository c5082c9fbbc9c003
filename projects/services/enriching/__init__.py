"""Looking up what a budget's positions are in a price catalogue and in the organisation's own history.

`enriching` runs it, `lookup` answers questions in bulk, `knowledge` keeps answers, `taking_over` makes an edit of one.
"""
