"""What the school has to answer for beside its posts: enquiries, advice, concerns, removals, breaches, complaints."""
