"""What a recording shows of each update under it. Pure.

attempts     the updates in a long recording, one by one
changeovers  what an update did to each slot
lives        what became of the tasks that it made
stops        how long the tasks that are told to stop take to end
"""
