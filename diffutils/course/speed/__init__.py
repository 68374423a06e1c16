"""How fast the course's code is: against peers, against bare operations, against an older commit"""
