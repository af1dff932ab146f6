"""Soft limits on how often one address may ask. They live in memory and only slow a nuisance down.

What must hold is counted in the database: wrong passwords by `people/accounts`, wrong PINs by the approval room.
"""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="fixed-window")

#: pages that take a password, a PIN or an e-mailed link; one school often shares one address
SIGN_IN = "30 per minute; 300 per hour"
